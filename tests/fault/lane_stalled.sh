#!/bin/bash
# The data of a lane is lost while heartbeats pass: --stall-timeout detects it,
# reports who waits for what, and the clone continues over new connections.
. "$(dirname "$0")/../func/lib.sh"
. "$(dirname "$0")/lib_resume.sh"
require python3

make_dense image $((64 * MIB))
start_target copy --once --stall-timeout 2s
start_flaky mute $((20 * MIB)) 1
run_source image --lanes 1
wait_target
assert_status source 0
assert_status target 0
assert_digests_equal
assert_same image copy $((64 * MIB))
assert_log target 'no progress for 2 s: no lane waits for the target.s disk, .*network'
assert_log target 'status: copying'
assert_log source 'target: no progress for 2 s'
[ "$(count_of source reconnects)" -ge 1 ] || fail "nothing was lost"
