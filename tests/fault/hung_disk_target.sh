#!/bin/bash
# I/O on the target's disk never completes.
. "$(dirname "$0")/../func/lib.sh"
. "$(dirname "$0")/lib_resume.sh"
. "$(dirname "$0")/lib_hung.sh"
one_try
# The thread that hangs is left behind, that is the point.
export TSAN_OPTIONS="${TSAN_OPTIONS:-} report_thread_leaks=0"

make_dense data $((48 * MIB))
make_dense backing $((48 * MIB))
faulty_up backing slow 8M
attach "$FAULTY_DISK"
start_target "$LOOP" --stall-timeout=2s --io-mode=direct --resume=off
start_source data --lanes=1
assert_hung_disk target
