#!/bin/bash
# The partial file of an interrupted clone beside an older copy: --delta
# resumes it for the same job, and otherwise updates the older copy and gives
# it its name.
. "$(dirname "$0")/../func/lib.sh"
. "$(dirname "$0")/lib_resume.sh"

SIZE=$((64 * MIB))
SOURCE_WITH+=(--job-id the-job)
TARGET_WITH+=(--checkpoint-every 100ms)

leave_both() # a partial of the job, and an older copy
{
    rm -f copy
    begin_and_kill
    [ -s .copy.clonewire-partial ] || fail "no partial is left"
    cp image copy
    put_noise copy $((50 * MIB)) 4096 7
}

update() # [OPTION of the source...]
{
    start_target copy --delta
    run_source image "$@"
    wait_target
    assert_status source 0
    assert_status target 0
    cmp image copy
    [ -z "$(find . -name '.copy.*')" ] || fail "left: $(find . -name '.copy.*')"
}

make_dense image $SIZE

leave_both
update
[ "$(count_of source same_bytes)" -ge $((12 * MIB)) ] || fail "begun anew"

# Nothing of another job's is used but the older copy.
leave_both
update --job-id another
assert_log target 'removing what an interrupted run left'
[ "$(count_of source data_bytes)" -lt $((2 * MIB)) ] || fail "all was sent"
