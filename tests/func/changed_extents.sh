#!/bin/bash
# With --changed-extents the source reads only the listed extents and takes the
# rest as unchanged; the summary says so. Without an older copy, or with an
# invalid list, there is no clone.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/../fault/lib_resume.sh"

SIZE=$((64 * MIB))
make_dense image $SIZE
cp image older
put_noise image $((10 * MIB)) $((64 * KIB)) 3
put_noise image $((40 * MIB + 4096)) 4096 4
echo '[{"offset": 10485760, "length": 65536},
       {"offset": 41947136, "length": 4096}]' >changed.json

start_target older --delta
run_source image --changed-extents changed.json
wait_target
assert_status source 0
assert_status target 0
assert_digests_equal
assert_same image older $SIZE
for side in source target; do
    assert_equal "$(count_of $side verified_bytes)" $((2 * MIB)) "verified"
    assert_equal "$(count_of $side unread_bytes)" $((62 * MIB)) "unread"
done
assert_log source 'only 2 of 64 chunks are read'
assert_log source 'changed.json: 2 entries \(format: ours\) name 69632 changed bytes'
[ "$(count_of source data_bytes)" -le $((128 * KIB)) ] || fail "sent too much"

# Much has changed that is not in the list: samples tell.
make_dense older $SIZE 9
start_target older --delta --once
run_source image --changed-extents changed.json
wait_target
for side in source target; do
    assert_status $side 12
    assert_log $side 'changed.json is incomplete: the disk also differs from the older'
done
rm -f .older.clonewire-*

# No older copy: refused by both, and nothing has the final name.
one_try
rm -f older
start_target older --delta
run_source image --changed-extents changed.json
wait_target
for side in source target; do
    assert_status $side 11
    assert_log $side 'needs an older copy of the disk on the target'
done
[ ! -e older ] || fail "a copy was made"

# A list that makes no sense: before anything is called.
SOURCE_DIALS=127.0.0.1:1
refused() # LIST REGEX
{
    echo "$1" >list.json
    run_source image --changed-extents list.json
    assert_status source 2
    assert_log source "list.json.*($2)"
}
refused 'x' 'is not a list of extents'
refused '[{"offset": 0, "length": 67108865}]' 'reaches beyond the end'
refused '[{"offset": 0, "length": 9}, {"offset": 8, "length": 1}]' 'overlaps'

# Within a machine everything is copied, so neither is taken for granted.
run_here() # OPTION...
{
    SOURCE_STATUS=0
    "$SOURCE" image --to elsewhere "$@" >source.out 2>source.log ||
        SOURCE_STATUS=$?
}
run_here --changed-extents changed.json
assert_status source 2
run_here --delta
assert_status source 2
assert_log source 'no effect with --to'
