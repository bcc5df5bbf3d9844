#!/bin/bash
# The network drops everything silently: both sides notice by the heartbeat,
# and continue over a new connection.
. "$(dirname "$0")/../func/lib.sh"
. "$(dirname "$0")/lib_resume.sh"
require python3

make_dense image $((64 * MIB))
start_target copy --once --dead-peer-timeout 3s
start_flaky hole $((20 * MIB)) 1
run_source image --dead-peer-timeout 3s
wait_target
assert_status source 0
assert_status target 0
assert_digests_equal
assert_same image copy $((64 * MIB))
[ "$(count_of source reconnects)" -ge 1 ] || fail "nothing was lost"
assert_log source 'no sign of life|lost|timed out'
