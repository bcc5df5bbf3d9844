#!/bin/bash
# A connection that does not come back: both sides try for --retry-for, no
# longer, and leave nothing with the final name.
. "$(dirname "$0")/../func/lib.sh"
. "$(dirname "$0")/lib_resume.sh"
require python3

make_dense image $((32 * MIB))

start_target copy --once --retry-for 2s
start_flaky cut $((8 * MIB)) 1000000
start_source image --retry-for 2s
wait_log source 'connecting again' || fail "the source did not try again"
stop_process "$FLAKY_PID" || true
begun=$SECONDS
wait_source 20
wait_target 20
assert_status source 75
assert_status target 75
[ $((SECONDS - begun)) -le 15 ] || fail "gave up only after $SECONDS s"
[ ! -e copy ] || fail "half a copy has the final name"

start_target copy --once --retry-for off
start_flaky cut $((8 * MIB)) 1000000
run_source image --retry-for off
wait_target 10
assert_status source 75
assert_status target 75
refute_log source 'connecting again'
