#!/bin/bash
# A directory is copied file by file: kinds, modes, times, links, holes and
# attributes arrive, over the network with several lanes and with --to; the
# digest is that of the copy as well.  Where one end has a disk, both refuse.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib_tree.sh"
require python3 diff

assert_copy() # DIR
{
    assert_tree expected "$1"
    assert_allocation tree/sparse "$1"/sparse
    assert_equal "$(allocated_bytes "$1"/hole)" 0 "allocated bytes of a hole"
    assert_equal "$(lib_tree_attribute "$1"/large || true)" \
        "$(lib_tree_attribute tree/large || true)" "attribute"
    assert_equal "$("$SOURCE" --digest "$1")" "$digest" "digest of the copy"
    [ -z "$(find "$1" -name '.clonewire*')" ] || fail "something is left"
}

copy_tree() # DIR [OPTION...]
{
    mkdir -p "$1/lost+found"
    start_target "$@"
    run_source tree
    wait_target
    assert_status source 0
    assert_status target 0
    assert_digests_equal
    assert_equal "$(digest_of source)" "$digest" "digest"
    rmdir "$1/lost+found"
}

make_tree tree
cp -a tree expected
rmdir expected/lost+found
touch -d @1600000000.5 expected
digest=$("$SOURCE" --digest tree)
assert_equal "$("$SOURCE" --digest expected)" "$digest" "digest without lost+found"

SOURCE_WITH=(--lanes 3)
TARGET_WITH=(--lanes 3)
for engine in uring threads; do
    "$SOURCE" --io-engine $engine --digest tree >engine.out 2>&1 || continue
    SOURCE_WITH=(--lanes 3 --io-engine "$engine")
    TARGET_WITH=(--lanes 3 --io-engine "$engine" --verify readback)
    copy_tree copy
    assert_copy copy
    rm -rf copy
done

mkdir here
"$SOURCE" tree --to here >here.out || fail "--to failed"
assert_copy here
"$SOURCE" --inspect tree | grep -q '^format  *directory' || fail "no directory"
"$SOURCE" --map --json tree | python3 -m json.tool >map.out || fail "no map"

# A directory with files is not written to without being told.
refuse_target 11 'here is a directory that is not empty' here

# One end has a disk: both say so.
SOURCE_WITH=() TARGET_WITH=()
one_try
start_target file.img
run_source tree
wait_target
assert_both_fail 11 'the source sends a directory, and file.img is not one'
make_dense image $((2 * MIB))
mkdir taken
start_target taken
run_source image
wait_target
assert_both_fail 11 'taken is a directory, and the source sends a disk'
[ -z "$(ls -A taken)" ] || fail "something was written"
run_source tree --format qcow2
assert_status source 2

# Setuid bits are dropped and said once, or kept.
mkdir special plain kept
echo x >special/su
chmod 4755 special/su
start_target plain
run_source special
wait_target
assert_equal "$(stat -c %a plain/su)" 755 "mode"
assert_equal "$(grep -c 'su: setuid' target.log)" 1 "warnings"
start_target kept --keep-setid
run_source special
wait_target
assert_equal "$(stat -c %a kept/su)" 4755 "mode with --keep-setid"

# A file that changes meanwhile never gets its name.
mkdir busy
make_dense busy/a $((64 * MIB))
mkdir into
start_target into
start_source busy --rate 24MiB
wait_log source copying
echo more >>busy/a
wait_source
wait_target
assert_both_fail 12 'a file in it was written to, added or removed'
[ ! -e into/a ] || fail "a changed file has its name"
