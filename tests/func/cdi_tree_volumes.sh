#!/bin/bash
# A tree on volumes that have their own ways: more than half full of the same
# tree, with a share for the filesystem, and without modes.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib_cdi.sh"
require_loop
require mkfs.ext4

volume() # NAME BYTES MKFS...
{
    truncate -s "$2" "$1.img"
    "${@:3}" "$1.img" >/dev/null 2>&1 || fail "no ${*:3}"
    mount_at "$1" "$1.img" -o loop
}

again() # DEST: the archive, by a server of its own
{
    start_server "$1/disk.img"
    upload tree.tar "$UPLOAD-archive"
}

# The same tree again fits beside itself: nothing of it is written twice.
volume full 64M mkfs.ext4 -q -m 0
mkdir tree
put_noise tree/disk.img 0 $((20 * MIB))
put_noise tree/other 0 $((20 * MIB)) 2
ln tree/other tree/linked
tar -C tree -cf tree.tar .
again full
assert_answer 200
wait_success "Upload Complete"
inodes=$(stat -c %i full/disk.img full/other full/linked)
[ "$(df --output=avail -B1 full | tail -n 1)" -lt $((30 * MIB)) ] ||
    fail "the volume is not half full"
again full
assert_answer 200
wait_success "Upload Complete"
diff -r tree full -x lost+found
assert_equal "$(stat -c %i full/disk.img full/other full/linked)" "$inodes" files

# One that has changed does not fit, and the old tree stays.
printf x | dd of=tree/disk.img bs=1 conv=notrunc status=none
tar -C tree -cf tree.tar .
again full
assert_answer 400 "larger than the reported available storage"
assert_equal "$(stat -c %i full/disk.img full/other full/linked)" "$inodes" files
kill -TERM "$TARGET_PID"
wait_target

# A share of the volume is the filesystem's, as for a disk.
volume share 64M mkfs.ext4 -q -m 0
rm tree/linked tree/other
put_noise tree/disk.img 0 $((45 * MIB))
tar -C tree -cf tree.tar .
server_env FILESYSTEM_OVERHEAD=0.6
again share
assert_answer 400 "kept for the filesystem"
kill -TERM "$TARGET_PID"
wait_target
SERVER_ENV=()
again share
assert_answer 200
wait_success "Upload Complete"

# A filesystem without modes gets a warning, not a failure.
rm tree/disk.img
echo text >tree/text
chmod 751 tree tree/text
tar -C tree -cf tree.tar .
mkdir plain
TARGET_UNDER=("$TOOLS/nouring" CHMOD)
again plain
assert_answer 200
wait_success "Upload Complete"
cmp tree/text plain/text
assert_log target 'text: this filesystem does not let its mode be set: 751 is lost'
