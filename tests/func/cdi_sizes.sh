#!/bin/bash
# The size of the disk on a volume follows the controller's arithmetic. A disk
# that does not fit is refused before its data is sent, where the size is
# known.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib_cdi.sh"
require qemu-img python3

mkdir data
put_noise image $MIB 65536
truncate -s 4M image

grows() # REQUEST OVERHEAD BYTES
{
    server_env UPLOAD_IMAGE_SIZE="$1" FILESYSTEM_OVERHEAD="$2"
    start_server data/disk.img
    upload image
    assert_answer 200
    wait_success "Upload Complete"
    assert_equal "$(stat -c %s data/disk.img)" "$3" "disk of $1 less $2"
    cmp -n $((4 * MIB)) image data/disk.img
    cmp -i $((4 * MIB)):0 -n $(($3 - 4 * MIB)) data/disk.img /dev/zero
    assert_equal "$(stat -c %a data/disk.img)" 660 mode
}

grows 1Gi 0.06 1012924416
grows 256Mi 0.06 252706816
grows 2Gi 0.06 2025848832
grows 4Mi 0 4194304
grows 0.1Gi 0 106954752 # 107374182.4 bytes, which is 102 MiB and some
grows 4Mi 0.06 4194304 # never smaller than what has come
grows 64M nonsense 63963136 # an overhead that is none is 0

# A clone keeps its size.
start_server data/disk.img
upload - -H "x-cdi-content-type: blockdevice-clone" \
    < <("$TESTS/tools/snapframe.py" <image)
wait_success "Clone Complete"
cmp image data/disk.img
rm data/disk.img

# Reserved, and it is said so.
server_env UPLOAD_IMAGE_SIZE=16Mi FILESYSTEM_OVERHEAD=0 PREALLOCATION=T
start_server data/disk.img
upload image
wait_success "Upload Complete" true
[ "$(allocated_bytes data/disk.img)" -ge $((16 * MIB)) ] || fail "not reserved"
rm data/disk.img

# Too large.
server_env UPLOAD_IMAGE_SIZE=2Mi PREALLOCATION=
start_server data/disk.img
TOO_LARGE="Saving stream failed: effective image size is larger than the reported available storage: "
upload image
assert_answer 400 "$TOO_LARGE"
assert_answer 400 "virtual image size 4194304 is larger than the reported available storage 2097152. A larger PVC is required"
upload - <image
assert_answer 400 "$TOO_LARGE"
qemu-img convert -O qcow2 image image.qcow2
upload image.qcow2
assert_answer 400 "virtual image size 4194304"
gzip -k image
upload image.gz
assert_answer 400 "$TOO_LARGE"
[ ! -e data/disk.img ] || fail "something that is too large became a disk"
[ "$(du -s --block-size=1 data | cut -f 1)" -lt 100000 ] || fail "space is taken"
truncate -s 1M image
upload image
assert_answer 200
wait_success "Upload Complete"

# A size that cannot be parsed changes nothing.
server_env UPLOAD_IMAGE_SIZE=much
start_server data/disk.img
assert_log target 'UPLOAD_IMAGE_SIZE: cannot read "much"'
upload image
assert_answer 200
wait_success "Upload Complete"
