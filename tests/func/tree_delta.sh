#!/bin/bash
# Into a directory that has an older copy only what differs is sent: changed
# leaves of changed files, and new files.  The older files are not changed in
# place; what the source has not stays at the top.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib_tree.sh"
. "$TESTS/fault/lib_resume.sh"
require python3 diff

assert_sent() # MAX
{
    [ "$(count_of source data_bytes)" -le "$1" ] ||
        fail "sent $(count_of source data_bytes) bytes, not $1 at most"
}

update() # OPTION...
{
    start_target copy "$@"
    run_source tree
    wait_target
    assert_status source 0
    assert_status target 0
    assert_digests_equal
}

make_tree tree
rmdir tree/lost+found
mkdir copy
update
assert_tree tree copy

# The same again: nothing but the index, which is known.
inode=$(stat -c %i copy/large)
update --delta
assert_tree tree copy
assert_sent $((128 * KIB))
assert_equal "$(stat -c %i copy/large)" "$inode" "inode of an unchanged file"

# Another block of a large file, another size, another time, gone, new.
ln copy/large kept
sha256sum <copy/large >kept.sum
put_noise tree/large $((3 * MIB)) 4096 9
echo longer than before >tree/many/7
touch tree/many/8
rm tree/many/9
make_dense tree/new $((100 * KIB)) 5
dd if=/dev/zero of=tree/sub/deep.bin bs=64K seek=1 count=1 conv=notrunc status=none
echo theirs >copy/others
touch -d @1600000000.5 tree/many tree/sub tree
update --overwrite --verify readback
rm copy/others || fail "another file at the top is gone"
touch -d @1600000000.5 copy
# A second link to the old file, outside of the tree, keeps the old content.
sha256sum <kept | cmp - kept.sum || fail "an old file was changed in place"
rm kept
assert_tree tree copy
assert_sent $((600 * KIB))
assert_equal "$("$SOURCE" --digest copy)" "$(digest_of source)" "digest"
