#!/bin/bash
# A source that writes a receipt is killed before and after each call that
# changes files, and started again: the target still reports the result to it.
. "$(dirname "$0")/../func/lib.sh"
. "$(dirname "$0")/lib_resume.sh"
require_plain_build "a run for each call"

SIZE=$((3 * MIB))
SOURCE_WITH+=(--job-id the-job --receipt receipt)
make_dense image $SIZE

run_until() # POINT; false: there is no such point
{
    rm -f copy receipt* calls
    start_target copy
    SOURCE_UNDER=(env LD_PRELOAD="$TOOLS/kill_at.so" KILL_AT="$1"
        KILL_LOG="$WORK/calls")
    run_source image
    SOURCE_UNDER=()
    [ "$SOURCE_STATUS" != 0 ] || return 1
    assert_status source 137
    sent=0
    grep -q '"verifying' source.log || sent=$SIZE # killed before it sent any
}

point=0 told=0
while run_until $point; do
    start_source image
    both_succeed
    assert_equal "$(count_of source data_bytes)" "$sent" "data sent at $point"
    "$SOURCE" --check-receipt receipt copy >check.log ||
        fail "receipt: $(cat check.log)"
    [ "$sent" != 0 ] || told=$((told + 1))
    point=$((point + 1))
done
wait_target
assert_status target 0
cmp image copy
[ $told -ge 4 ] || fail "only $told points after the end"
