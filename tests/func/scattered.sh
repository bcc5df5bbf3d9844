#!/bin/bash
# Little data in a chunk, in buffers that were full before: no old data reaches
# the disk, with and without zeros written.
. "$(dirname "$0")/lib.sh"

bytes=$((40 * MIB + 137 * 512))
make_empty image $bytes
put_noise image 0 $((16 * MIB)) 1
for i in $(seq 17 39); do # on leaves of 64 KiB, across them, beside them
    put_noise image $((i * MIB + i * 44 % 900 * KIB)) $((i % 5 * 20 * KIB + 512)) "$i"
done
put_noise image $((40 * MIB + 69000)) 1000 2

for how in off full; do
    TARGET_WITH=("--preallocate=$how")
    clone image copy
    assert_same image copy $bytes
    rm copy

    "$SOURCE" "--preallocate=$how" image --to copy >source.out 2>source.log ||
        fail "a copy within this machine, $how: $(tail -1 source.log)"
    assert_same image copy $bytes
    rm copy
done
