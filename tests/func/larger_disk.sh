#!/bin/bash
# --size makes a larger disk with a tail of zeros, and never a smaller one.
. "$(dirname "$0")/lib.sh"

make_dense image $((5 * MIB + 512))
TARGET_WITH=(--size=12MiB)
clone image copy
assert_equal "$(disk_bytes copy)" $((12 * MIB)) "size of the copy"
cmp -n $((5 * MIB + 512)) image copy
cmp -i $((5 * MIB + 512)):0 -n $((7 * MIB - 512)) copy /dev/zero
assert_allocation image copy
rm copy

TARGET_WITH=(--size=5MiB)
start_target copy
run_source image
wait_target
assert_both_fail 2 "$((5 * MIB)) bytes is smaller than .*$((5 * MIB + 512))"
