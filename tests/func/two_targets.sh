#!/bin/bash
# Two clones that reserve space on one filesystem do not count the same free
# bytes: the second is refused at its start, and the first succeeds.
. "$(dirname "$0")/lib.sh"
require_loop
require mkfs.ext4

make_dense image $((32 * MIB))
truncate -s 64M volume
mkfs.ext4 -q -m 0 volume
mount_at mounted volume -o loop

TARGET_WITH=(--preallocate=falloc)
start_target mounted/first.img
start_slow_source 2MiB image
wait_log source copying || fail "it did not begin"
first_source=$SOURCE_PID first_target=$TARGET_PID
cp source.log first-source.log

start_target mounted/second.img
run_source image
wait_target
assert_both_fail 10 'second.img|does not fit'
[ -z "$(find mounted -name '*second*')" ] || fail "something was left"

SOURCE_PID=$first_source
lift_rate
wait_process "$first_source" "first source"
wait_process "$first_target" "first target"
assert_same image mounted/first.img $((32 * MIB))
