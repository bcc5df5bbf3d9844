#!/bin/bash
# A disk that answers no more, and gives nothing back: both ends say what
# waits for what, and end for another try; the process does not wait for it.
# (Where a helper thread hangs in the disk, Linux keeps the dead process until
# the disk lets go of it: so it may, once all is said.)
. "$(dirname "$0")/../func/lib.sh"
. "$(dirname "$0")/lib_resume.sh"
one_try
# The thread that hangs is left behind, that is the point.
export TSAN_OPTIONS="${TSAN_OPTIONS:-} report_thread_leaks=0"

hung() # SIDE: its disk hangs in the middle of a clone; both end
{
    local side=$1

    wait_log target 'copying' || fail "it did not begin"
    sleep 0.5 # so that some of it comes
    kill -STOP "$KIT_PID"
    at_exit kill -CONT "$KIT_PID"
    wait_log "$side" 'not waited for' || fail "$side said nothing"
    kill -CONT "$KIT_PID"
    faulty_rate fast
    wait_source
    wait_target
    for side in source target; do
        assert_status $side 75
        assert_log $side "no progress for 2 s: [1-9] of 1 lanes wait for the $1's disk"
    done
    assert_log "$1" 'error.*does not give back what is in flight.*"retryable":true'
}

make_dense data $((48 * MIB))
SOURCE_WITH+=(--lanes=1)
faulty_up data slow 8M
start_target copy
start_source "$FAULTY_DISK" --stall-timeout=2s
hung source
[ ! -e copy ] || fail "a copy was made"

make_dense backing $((48 * MIB))
faulty_up backing slow 8M
attach "$FAULTY_DISK"
start_target "$LOOP" --stall-timeout=2s --io-mode=direct
start_source data
hung target
