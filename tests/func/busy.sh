#!/bin/bash
# A second source gets the error that the target is busy; the first continues.
. "$(dirname "$0")/lib.sh"

make_dense image $((24 * MIB))
start_target copy
start_slow_source 2MiB image
wait_log target 'serving ' || fail "no source came"
first=$SOURCE_PID

# The second writes its own log.
read -ra identity < <(identity source)
status=0
"$SOURCE" "${identity[@]}" image "$TARGET_ADDRESS" >second.log 2>&1 ||
    status=$?
assert_equal $status 22 "status of the second source"
assert_log second 'busy'

SOURCE_PID=$first
lift_rate
wait_source
wait_target
assert_status source 0
assert_status target 0
assert_same image copy $((24 * MIB))
