#!/bin/bash
# With preallocation, a volume without enough space fails at the start.
. "$(dirname "$0")/lib.sh"
require_loop
require mkfs.ext4

make_empty image $((40 * MIB))
put_noise image 0 $MIB
truncate -s 64M volume
mkfs.ext4 -q -m 0 volume
mount_at mounted volume -o loop
make_dense mounted/tenant $((30 * MIB))

TARGET_WITH=(--preallocate=falloc --overcommit)
start_target mounted/disk.img
run_source image
wait_target
assert_both_fail 10 'disk.img|space|needs'
[ ! -e mounted/disk.img ] || fail "a copy was made"
