#!/bin/bash
# A pass of --follow whose connections are cut is retried, also where the target
# is started again.  A target whose source never comes back ends with an error,
# and its copy is the last complete pass.
. "$(dirname "$0")/../func/lib.sh"
. "$(dirname "$0")/lib_resume.sh"
require python3

SIZE=$((32 * MIB))

make_dense image $SIZE
start_target copy
start_flaky cut $((5 * MIB)) 2
start_source image --lanes 2 --follow 100ms
wait_log source 'pass 1 is complete' || fail "no first pass"
put_noise image $MIB $((12 * MIB)) 7
wait_log source 'pass 3 is complete' || fail "no third pass"
kill -USR1 "$SOURCE_PID"
both_succeed
cmp image copy

# A target that is killed between two passes, and started again with --delta.
start_target copy --delta=copy
start_source image --follow 300ms
wait_log target 'pass 2 is complete; waiting' || fail "no second pass"
stop_process "$TARGET_PID"
put_noise image $((3 * MIB)) 4096 9
start_target copy --delta=copy
wait_log target 'pass [0-9]* is complete; waiting' || fail "no pass after it"
kill -USR1 "$SOURCE_PID"
both_succeed
cmp image copy

start_target copy --delta=copy --retry-for 1s
start_source image --follow 100ms
wait_log target 'pass 2 is complete; waiting' || fail "no second pass"
stop_process "$SOURCE_PID"
wait_target
[ "$TARGET_STATUS" != 0 ] || fail "it ended well without the last pass"
assert_log target 'the source did not come (for its next|back during) pass'
cmp image copy
