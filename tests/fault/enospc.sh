#!/bin/bash
# A volume that fills up half-way: both sides report it, and no copy remains.
. "$(dirname "$0")/../func/lib.sh"
require_loop
require mkfs.ext4

make_dense image $((40 * MIB))
truncate -s 32M volume
mkfs.ext4 -q volume
mount_at mounted volume -o loop

start_target mounted/disk.img --overcommit
run_source image
wait_target
assert_both_fail 10 'write.*No space left on device'
[ ! -e mounted/disk.img ] || fail "a copy was made"

make_empty backing $((40 * MIB))
faulty_up backing enospc $((20 * MIB))
attach "$FAULTY_DISK" --direct-io=on
device=$LOOP
start_target "$device"
run_source image
wait_target
# The kernel's block layer knows ENOSPC too.
assert_both_fail 10 'No space left on device'
