#!/bin/bash
# A 64 GiB disk with data only at both ends takes little time and space.
. "$(dirname "$0")/lib.sh"

make_empty image $((64 * GIB))
put_noise image 0 $MIB 1
put_noise image $((64 * GIB - MIB)) $MIB 2

TARGET_WITH=(--overcommit)
SECONDS=0
clone image copy
[ $SECONDS -le 15 ] || fail "took $SECONDS s" # to read it all takes more

assert_equal "$(disk_bytes copy)" $((64 * GIB)) "size of the copy"
cmp -n $MIB image copy
cmp -n $MIB -i $((64 * GIB - MIB)) image copy
# Both ends are data, so with nothing else allocated the rest are holes.
[ "$(allocated_bytes copy)" -le $((2 * MIB + 64 * KIB)) ] ||
    fail "the copy takes $(allocated_bytes copy) bytes"
