#!/bin/bash
# Out of space in the middle: both sides report the offset, the checkpoint
# remains, and with more space the same commands resume.
. "$(dirname "$0")/../func/lib.sh"
. "$(dirname "$0")/lib_resume.sh"
require_loop
require mkfs.ext4

make_dense image $((80 * MIB))
truncate -s 144M volume
mkfs.ext4 -q volume
mount_at mounted volume -o loop
fallocate -l 80M mounted/ballast

SOURCE_WITH+=(--job-id=clone --lanes=1)
start_target mounted/disk.img --overcommit --checkpoint-every=100ms
run_source image --rate 60MiB
wait_target
for side in source target; do
    assert_status $side 10
    assert_log $side '"kind":"no-space".*"errno":28,"offset":[0-9]+'
    assert_log $side 'write.* at [0-9]+.*No space left on device'
done
[ ! -e mounted/disk.img ] || fail "a copy was made"

rm mounted/ballast
start_target mounted/disk.img --overcommit
run_source image
wait_target
assert_status source 0
assert_status target 0
assert_digests_equal
assert_same image mounted/disk.img $((80 * MIB))
# How much that is depends on how often the disk could be flushed; no chunk of
# it is sent again.
held=$(grep -oE 'left: [0-9]+ of 80 chunks' target.log | grep -oE '[0-9]+' |
    head -n 1) || fail "it began anew"
[ "$held" -gt 0 ] || fail "nothing is held"
[ "$(count_of source data_bytes)" -le $(((80 - held) * MIB)) ] ||
    fail "sent $(count_of source data_bytes) bytes again"
