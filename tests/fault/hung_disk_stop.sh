#!/bin/bash
# A disk whose I/O does not complete is reported long before --stall-timeout
# (300 s by default). SIGTERM then ends the process and its peer, which reports
# the reason.
. "$(dirname "$0")/../func/lib.sh"
. "$(dirname "$0")/lib_resume.sh"
. "$(dirname "$0")/lib_hung.sh"
TARGET_WITH+=(--once)
# The thread that hangs is left behind, that is the point.
export TSAN_OPTIONS="${TSAN_OPTIONS:-} report_thread_leaks=0"

# SIDE's disk hangs, and it is stopped.
stopped() # SIDE PID DISK
{
    wait_log target copying || fail "it did not begin"
    sleep 0.5
    kill -STOP "$KIT_PID"
    at_exit kill -CONT "$KIT_PID"
    wait_log "$1" "the $1's disk, $3, has not answered for 10 s" ||
        fail "$1 did not say that its disk hangs"
    SECONDS=0
    kill -TERM "$2"
    wait_log "$1" 'stopped by request' || fail "$1 said nothing"
    # What a hung disk holds of it, Linux keeps until that lets go.
    if [ "$1" = source ]; then wait_target; else wait_source; fi
    [ $SECONDS -le 10 ] || fail "took $SECONDS s to stop"
    kill -CONT "$KIT_PID"
    faulty_rate fast
    wait_source
    wait_target
    assert_log source 'stopped by request'
    assert_log target 'stopped by request'
}

make_dense data $((48 * MIB))
faulty_up data slow 8M
start_target copy
start_source "$FAULTY_DISK" --lanes=1
stopped source "$SOURCE_PID" "$FAULTY_DISK"
assert_status source 143
[ ! -e copy ] || fail "a copy was made"

make_dense backing $((48 * MIB))
faulty_up backing slow 8M
attach "$FAULTY_DISK"
start_target "$LOOP" --io-mode=direct --resume=off
start_source data --lanes=1
stopped target "$TARGET_PID" "$LOOP"
assert_status target 143
