#!/bin/bash
# A peer killed outright: the other side ends at once and says so.
. "$(dirname "$0")/../func/lib.sh"
one_try

make_dense data $((48 * MIB))
faulty_up data slow 20M

start_target copy
start_source "$FAULTY_DISK"
wait_log target 'serving '
sleep 0.3
stop_process "$SOURCE_PID"
wait_target 5
assert_status target 75
assert_log target 'target: .*(connection|lost|closed)'
[ ! -e copy ] || fail "half a copy has the final name"

start_target copy
start_source "$FAULTY_DISK"
wait_log target 'serving '
sleep 0.3
stop_process "$TARGET_PID"
wait_source 5
assert_status source 75
assert_log source 'source: .*(connection|lost|closed)'
