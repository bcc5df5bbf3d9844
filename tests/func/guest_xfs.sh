#!/bin/bash
# The copy of a populated xfs image on a block device passes xfs_repair and has
# the same files.
. "$(dirname "$0")/lib.sh"
require_loop
require mkfs.xfs xfs_repair

truncate -s 320M image
mkfs.xfs -q image
mount_at made image -o loop
cp -a /usr/share/perl5 made/ 2>/dev/null || cp -a /usr/share/doc/bash made/
umount made

attach_new backing $((320 * MIB))
device=$LOOP
clone image "$device"
assert_same image "$device" $((320 * MIB))
xfs_repair -n "$device" 2>repair.log || fail "$(cat repair.log)"

mount_at was image -o ro,loop,nouuid
mount_at is "$device" -o ro,nouuid
diff -r --no-dereference was is
