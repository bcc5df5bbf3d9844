#!/bin/bash
# I/O on the target's disk does not complete during zeroing, in a lane or of
# the tail: both sides blame that disk, and not the network.
. "$(dirname "$0")/../func/lib.sh"
. "$(dirname "$0")/lib_resume.sh"
. "$(dirname "$0")/lib_hung.sh"
one_try
# The thread that hangs is left behind, that is the point.
export TSAN_OPTIONS="${TSAN_OPTIONS:-} report_thread_leaks=0"

hangs_while() # PHASE REGEX
{
    make_dense backing $((48 * MIB))
    faulty_up backing slow-zero 4
    attach "$FAULTY_DISK"
    start_target "$LOOP" --stall-timeout=2s
    start_source image --lanes=1
    wait_log target "$1" || fail "no $1"
    sleep 0.5
    kill -STOP "$KIT_PID"
    at_exit kill -CONT "$KIT_PID"
    wait_source # before the disk is let go
    wait_log target 'exiting without it' || fail "the target said nothing"
    kill -CONT "$KIT_PID"
    wait_target
    for side in source target; do
        assert_status $side 75
        assert_log $side "no progress for 2 s$2"
        refute_log $side 'no sign of life'
    done
}

make_empty image $((48 * MIB))
hangs_while copying ": 1 of 1 lanes wait for the target's disk, /"
make_dense image $((4 * MIB))
hangs_while flushing " while flushing: the target's disk, /.*, does not answer"
