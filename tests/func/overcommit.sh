#!/bin/bash
# A sparse disk larger than the volume needs --overcommit.
. "$(dirname "$0")/lib.sh"
require_loop
require mkfs.ext4

make_empty image $((200 * MIB))
put_noise image 0 $((2 * MIB))
truncate -s 64M volume
mkfs.ext4 -q volume
mount_at mounted volume -o loop

start_target mounted/disk.img
run_source image
wait_target
assert_both_fail 10 'space|fit|needs'

TARGET_WITH=(--overcommit)
clone image mounted/disk.img
assert_same image mounted/disk.img $((200 * MIB))
