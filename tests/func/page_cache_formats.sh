#!/bin/bash
# Formats that are decoded are read through the page cache, and leave little in
# it.
. "$(dirname "$0")/lib.sh"
require fincore qemu-img gzip xz
refuse_tmpfs

repeated() # FILE: seven times
{
    cat "$1" "$1" "$1" "$1" "$1" "$1" "$1"
}

# Letters: random, and yet something to compress; once, as it takes its time.
noise $((12 * MIB)) | base64 -w 0 >part
gzip -1 -c part >part.gz
xz -0 -T2 --block-size=4MiB -c part >part.xz
repeated part >disk.raw
repeated part.gz >disk.gz
repeated part.xz >disk.xz
qemu-img convert -O qcow2 disk.raw plain.qcow2
qemu-img convert -O qcow2 -c disk.raw zlib.qcow2
for file in zlib.qcow2 disk.gz disk.xz; do
    [ "$(stat -c %s $file)" -gt $((72 * MIB)) ] || fail "$file is too small"
done

stays_small() # IMAGE [OPTION...]
{
    sync "$1"
    dd of="$1" oflag=nocache conv=notrunc,fdatasync count=0 status=none
    SOURCE_WITH=("${@:2}")
    clone "$1" copy
    cached=$(fincore -bno RES "$1" | tr -d ' ')
    [ "$cached" -le $((68 * MIB)) ] ||
        fail "$cached bytes of $1 are cached"
    assert_same disk.raw copy $((112 * MIB))
    rm copy
}

stays_small plain.qcow2 --io-mode=buffered
stays_small zlib.qcow2
stays_small disk.gz
stays_small disk.xz
