#!/bin/bash
# Buffered I/O leaves little of the disk in the page cache, on both sides.
. "$(dirname "$0")/lib.sh"
require fincore
refuse_tmpfs

make_dense image $((160 * MIB))
sync image
dd of=image oflag=nocache conv=notrunc,fdatasync count=0 status=none
assert_equal "$(fincore -bno RES image | tr -d ' ')" 0 "cached before"

SOURCE_WITH=(--io-mode=buffered) TARGET_WITH=(--io-mode=buffered)
clone image copy
# Two windows of 32 MiB on one lane each.
for file in image copy; do
    cached=$(fincore -bno RES $file | tr -d ' ')
    [ "$cached" -le $((96 * MIB)) ] || fail "$cached bytes of $file are cached"
done
assert_same image copy $((160 * MIB))
