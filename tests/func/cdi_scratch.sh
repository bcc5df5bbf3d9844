#!/bin/bash
# Uploads that one pass does not suffice for are decoded by way of /scratch, or
# without that next to the disk: the disk is what qemu-img makes of the image,
# and nothing else remains.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib_cdi.sh"
require qemu-img qemu-io gzip xz zstd

size=$((24 * MIB))
mkdir data scratch
make_sparse image $size
put_noise image $((8 * MIB)) $((5 * MIB))
qemu-img convert -O vmdk image a.vmdk
qemu-img convert -O vmdk -o subformat=streamOptimized image stream.vmdk
qemu-img convert -O vdi image a.vdi
qemu-img convert -O vdi -o static=on image fixed.vdi
qemu-img convert -O vpc -o force_size=on image a.vhd
qemu-img convert -O vhdx image a.vhdx
qemu-img convert -O vhdx -o subformat=fixed image fixed.vhdx
qemu-img convert -O qcow2 -o preallocation=falloc image falloc.qcow2
cp image old.raw
qemu-img convert -O qcow2 image old.qcow2
qemu-img snapshot -c before old.qcow2
qemu-io -c 'write -P 7 1M 3M' -c 'write -P 9 9M 64k' old.qcow2 >/dev/null
qemu-img convert -O raw old.qcow2 old.raw
gzip -1 -k a.vdi
xz -0 -k a.vmdk
zstd -q a.vhdx
xz -0 <image | gzip -1 >image.xz.gz
zstd -q <stream.vmdk | xz -0 >stream.zst.xz

arrives() # FILE WANT [OPTION…] [PATH]
{
    start_server data/disk.img
    upload "$1" "${@:3}"
    assert_answer 200
    wait_success "Upload Complete"
    assert_same "$2" data/disk.img $size
    assert_allocation "$2" data/disk.img
    assert_equal "$(ls -A data scratch)" $'data:\ndisk.img\n\nscratch:' "files"
    rm data/disk.img
}

for scratch in scratch nothing; do
    server_env CLONEWIRE_SCRATCH=$PWD/$scratch
    arrives old.qcow2 old.raw
    arrives a.vmdk image
    arrives stream.zst.xz image
done
server_env CLONEWIRE_SCRATCH="$PWD/scratch"
for file in stream.vmdk a.vdi fixed.vdi a.vhd a.vhdx fixed.vhdx falloc.qcow2 \
    a.vdi.gz a.vmdk.xz a.vhdx.zst image.xz.gz; do
    arrives $file image
done
arrives a.vdi image /v1beta1/upload-async
start_server data/disk.img
curl_as source -F file=@a.vmdk.xz /v1beta1/upload-form
assert_answer 200
wait_success "Upload Complete"
assert_same image data/disk.img $size
rm data/disk.img

# A cut or damaged one is refused, and leaves nothing.
start_server data/disk.img
head -c -2000000 a.vdi >cut.vdi
upload cut.vdi
assert_answer 500 truncated
head -c -5000 a.vmdk.xz >cut.xz
upload cut.xz
assert_answer 500 xz
qemu-img create -q -f vmdk -b "$PWD/a.vmdk" -F vmdk backed.vmdk
upload backed.vmdk
assert_answer 500 "vmdk: "
[ -z "$(ls -A scratch)" ] || fail "left: $(ls -A scratch)"
[ ! -e data/disk.img ] || fail "a refused image became a disk"

# A device has no directory beside it.
require_root "a loop device"
require_loop
stop_process "$TARGET_PID" || true
attach_new device $size
server_env CLONEWIRE_SCRATCH="$PWD/nothing"
start_server "$LOOP"
upload a.vmdk
assert_answer 500 'there is no scratch space'
stop_process "$TARGET_PID" || true
server_env CLONEWIRE_SCRATCH="$PWD/scratch"
start_server "$LOOP"
upload a.vmdk
assert_answer 200
wait_success "Upload Complete"
cmp -n $size image "$LOOP"
