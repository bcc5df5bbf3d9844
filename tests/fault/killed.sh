#!/bin/bash
# A peer is killed with SIGKILL: the other side ends at once and reports it.
. "$(dirname "$0")/../func/lib.sh"
one_try

make_dense data $((48 * MIB))
faulty_up data slow 20M

start_target copy
start_source "$FAULTY_DISK"
wait_log target copying || fail "it did not begin"
kill -KILL "$SOURCE_PID"
faulty_rate fast # Linux lets nothing go that waits for it
wait_source || true
wait_target 20 # of the 30 that silence may last
assert_status target 75
assert_log target 'target: .*(connection|lost|closed)'
[ ! -e copy ] || fail "half a copy has the final name"

faulty_up data slow 20M
start_target copy
start_source "$FAULTY_DISK"
wait_log target copying || fail "it did not begin"
kill -KILL "$TARGET_PID"
faulty_rate fast
wait_source 20
assert_status source 75
assert_log source 'source: .*(connection|lost|closed)'
