#!/bin/bash
# I/O on the source's disk never completes.
. "$(dirname "$0")/../func/lib.sh"
. "$(dirname "$0")/lib_resume.sh"
. "$(dirname "$0")/lib_hung.sh"
one_try
# The thread that hangs is left behind, that is the point.
export TSAN_OPTIONS="${TSAN_OPTIONS:-} report_thread_leaks=0"

make_dense data $((48 * MIB))
faulty_up data slow 8M
start_target copy
start_source "$FAULTY_DISK" --lanes=1 --stall-timeout=2s
assert_hung_disk source
[ ! -e copy ] || fail "a copy was made"
