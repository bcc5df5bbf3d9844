#!/bin/bash
# cdi-uploadserver receives a filesystem clone: the whole tree to a directory,
# or its disk image to a device. It writes nothing outside, and leaves no
# incomplete copy.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib_cdi.sh"
require python3 qemu-img tar zstd

SNAP=$TESTS/tools/snapframe.py
CLONE=(-H "x-cdi-content-type: filesystem-clone")
mkdir data tree
clone_tree() # TAR-OPTION...
{
    tar -C tree -c "$@" . >tree.tar
    "$SNAP" --packed <tree.tar >tree.snappy
    upload - "${CLONE[@]}" <tree.snappy
}

put_noise tree/disk.img $MIB 200000
truncate -s 6M tree/disk.img
mkdir -p "tree/a b/c"
echo hello >"tree/a b/c/hidden"
ln tree/disk.img tree/again.img
ln -s ../disk.img "tree/a b/link"
chmod 640 tree/disk.img
touch -d 2020-02-02T02:02:02Z "tree/a b/c/hidden"

start_server "$PWD/data/disk.img"
clone_tree -S
assert_answer 200
[ ! -s answer ] || fail "200 with a body: $(cat answer)"
wait_success "Clone Complete"
diff -r tree data
assert_equal "$(ls -A data)" "$(ls -A tree)" files
assert_equal "$(stat -c %i data/disk.img)" "$(stat -c %i data/again.img)" link
assert_equal "$(stat -c '%a %h' data/disk.img)" "640 2" mode
assert_equal "$(stat -c %Y "data/a b/c/hidden")" 1580608922 time
[ "$(allocated_bytes data/disk.img)" -lt $((3 * MIB)) ] || fail "not sparse"

# Over what is there, as a retry would: replaced.
echo changed >tree/again.txt
start_server "$PWD/data/disk.img"
clone_tree
assert_answer 200
wait_success "Clone Complete"
diff -r tree data

# Escapes, and what is damaged: nothing has happened.
rm -rf data; mkdir data
start_server "$PWD/data/disk.img"
mkdir evil
echo evil >evil/file
tar -P -cf evil.tar --transform 's,^evil/,../,' evil/file
upload - "${CLONE[@]}" < <("$SNAP" <evil.tar)
assert_answer 500
[ ! -e file ] || fail "a file outside"
head -c 4000000 tree.tar >cut.tar
upload - "${CLONE[@]}" < <("$SNAP" --packed <cut.tar)
assert_answer 500
upload - "${CLONE[@]}" <tree.tar
assert_answer 500 "snappy stream"
assert_equal "$(find data -type f -size +0 | wc -l)" 0 "files left"
kill -TERM $TARGET_PID
wait_target
assert_status target 143
assert_equal "$(ls -A data)" "" "files left"

# The disk onto a device: the one of that very name.
require_loop
attach_dirty dirty $((8 * MIB))
put_noise decoy 0 $MIB
rm -rf tree/*
cp decoy tree/backup-disk.img
put_noise tree/disk.img $MIB 200000
truncate -s 6M tree/disk.img
start_server "$LOOP"
upload - "${CLONE[@]}" < <(tar -C tree -cS backup-disk.img disk.img |
    "$SNAP" --packed)
assert_answer 200
wait_success "Clone Complete"
assert_same tree/disk.img "$LOOP" $((6 * MIB))

# A QCOW2 is a disk, not bytes.
cp tree/disk.img raw
qemu-img convert -O qcow2 raw tree/disk.img
start_server "$LOOP"
upload - "${CLONE[@]}" < <(tar -C tree -c disk.img | "$SNAP" --packed)
assert_answer 200
wait_success "Clone Complete"
assert_same raw "$LOOP" $((6 * MIB))

# None there, or one that is too large.
start_server "$LOOP"
upload - "${CLONE[@]}" < <(tar -C tree -c backup-disk.img | "$SNAP")
assert_answer 500 "no disk image found in tar"
cp raw tree/disk.img
truncate -s 9M tree/disk.img
upload - "${CLONE[@]}" < <(tar -C tree -cS disk.img | "$SNAP" --packed)
assert_answer 400 "virtual image size 9437184 is larger than the reported available storage 8388608"

# Archives by their own path, packed or not; never onto a device.
upload tree.tar /v1beta1/upload-archive
assert_answer 500 "block device"
rm -rf tree data; mkdir tree data
put_noise tree/one 0 100000
for pack in cat gzip xz zstd; do
    rm -rf data/*
    start_server "$PWD/data/disk.img"
    upload - /v1alpha1/upload-archive < <(tar -C tree -c . | $pack)
    assert_answer 200
    wait_success "Upload Complete"
    diff -r tree data
done

# A volume that is too small is empty again, and is said to be too small.
[ "$(id -u)" = 0 ] || skip "mounting needs root; the rest holds"
mkdir small
mount -t tmpfs -o size=2m tmpfs small 2>mount.err ||
    skip "no mounts here ($(cat mount.err)); the rest holds"
at_exit unmount "$PWD/small"
put_noise tree/two 0 $((3 * MIB))
start_server "$PWD/small/disk.img"
upload - "${CLONE[@]}" < <(tar -C tree -c . | "$SNAP")
assert_answer 400 "Saving stream failed: effective image size is larger than the reported available storage: "
assert_equal "$(find small -type f -size +0)" "" "files left"
[ "$(df --output=used small | tail -n 1)" -lt 100 ] || fail "space is taken"
rm tree/two
upload - "${CLONE[@]}" < <(tar -C tree -c . | "$SNAP")
assert_answer 200
wait_success "Clone Complete"
diff -r tree small
