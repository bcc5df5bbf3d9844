#!/bin/bash
# The images that one pass suffices for become the disk that they hold, without
# scratch space. Other data is refused and leaves no file.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib_cdi.sh"
require qemu-img xz gzip bzip2 zstd

mkdir data
put_noise image $((2 * MIB)) $((MIB + 4096 + 17))
truncate -s 8M image
qemu-img convert -O qcow2 image image.qcow2
qemu-img convert -c -O qcow2 image packed.qcow2
for file in image image.qcow2; do
    gzip -k -1 $file
    xz -k -0 -T2 --block-size=524288 $file # many blocks
    zstd -q -k $file
done

start_server data/disk.img
good() # FILE [PATH]
{
    rm -f data/*
    upload "$@"
    assert_answer 200
    wait_success "Upload Complete"
    assert_same image data/disk.img $((8 * MIB))
    assert_allocation image data/disk.img
    start_server data/disk.img
}

for file in image image.{gz,xz,zst,qcow2} packed.qcow2 image.qcow2.{gz,xz,zst}; do
    good $file
done
good image.qcow2 /v1alpha1/upload-async

# Refused, with the reason, and the next one is welcome.
refused() # FILE WHY
{
    rm -f data/disk.img
    upload "$1"
    assert_answer 500 "Saving stream failed: "
    grep -qiE -- "$2" answer || fail "$1: $(cat answer)"
    [ ! -e data/disk.img ] || fail "$1 became a disk"
}

head -c 100 image >short
: >empty
refused short 'header|not a disk'
refused empty 'header|not a disk'
head -c -2000 image.gz >cut.gz
refused cut.gz 'gzip|ended|cut'
head -c -2000 image.xz >cut.xz
refused cut.xz 'xz|ended|cut'
head -c -2000 image.zst >cut.zst
refused cut.zst 'zstd|ended'
head -c 5000 image.zst >damaged.zst
put_noise damaged.zst 5000 3000
refused damaged.zst 'zstd'
# A qcow2 that is cut has clusters missing: they are not zeros.
head -c -100000 image.qcow2 >cut.qcow2
for _ in 1 2 3 4 5; do # each is answered, in any order
    refused cut.qcow2 'qcow2'
done
bzip2 -k image
refused image.bz2 bzip2
qemu-img convert -O qed image image.qed 2>/dev/null &&
    refused image.qed 'not supported'
tar -cf image.tar image
refused image.tar 'tar'

# No file of the server's becomes part of the disk.
cp "$CERTS/target.key" secret
truncate -s 64K secret
qemu-img create -q -f qcow2 -b "$PWD/secret" -F raw backed.qcow2 64K
refused backed.qcow2 'backing file'
qemu-img create -q -f qcow2 -o data_file="$PWD/outside.raw",data_file_raw=on \
    outside.qcow2 1M
cp secret outside.raw
refused outside.qcow2 'data file'

good image
