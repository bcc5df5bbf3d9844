#!/bin/bash
# The copy of a populated ext4 image passes fsck and has the same files.
. "$(dirname "$0")/lib.sh"
require mkfs.ext4 e2fsck

truncate -s 256M image
# Files of all sizes, links and modes, that any system has.
mkfs.ext4 -q -d /usr/share/perl5 image 2>mkfs.err ||
    mkfs.ext4 -q -F -d /usr/share/doc/bash image

clone image copy
assert_same image copy $((256 * MIB))
assert_allocation image copy
e2fsck -fn copy

[ "$(id -u)" = 0 ] || exit 0
mount_at was image -o ro,loop
mount_at is copy -o ro,loop
diff -r --no-dereference was is
