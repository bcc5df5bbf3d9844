#!/bin/bash
# upload_test 4989 and its table: an image that is larger than the volume, by
# its virtual or physical size, gets 400, and the server's log says so in CDI's
# words. 1985: an upload that failed can be tried again.
. "$(dirname "$0")/../func/lib.sh"
. "$TESTS/func/lib_cdi.sh"
require qemu-img xz

make_empty virtual $((64 * MIB))
make_dense physical $((40 * MIB))
make_sparse good $((6 * MIB))
for image in virtual physical; do
    xz -0k $image
    qemu-img convert -O qcow2 $image $image.qcow2
done
mkdir data
server_env UPLOAD_IMAGE_SIZE=32Mi FILESYSTEM_OVERHEAD=0.06
start_server data/disk.img
too_large() # FILE PATH
{
    : >target.log
    upload "$1" "$2"
    assert_answer 400
    wait_log target \
        'effective image size is larger than the reported available' ||
        fail "$1: not in the log"
}
for path in upload upload-async; do
    for image in virtual.xz physical.xz physical.qcow2 virtual.qcow2; do
        too_large $image /v1beta1/$path
    done
done
printf 'QFI\xfb nonsense' >bad
upload bad
assert_answer 500
upload good
assert_answer 200
wait_success "Upload Complete"
cmp -n $((6 * MIB)) good data/disk.img
