#!/bin/bash
# A connection that stays down: both sides retry for --retry-for, no longer,
# and leave no file with the final name.
. "$(dirname "$0")/../func/lib.sh"
. "$(dirname "$0")/lib_resume.sh"
require python3

make_dense image $((32 * MIB))

# From the cut on every connection is closed at once, and then refused.
exec 3>target.progress 4>source.progress
start_target copy --once --retry-for 2s --progress=3
start_helper proxy python3 "$TESTS/tools/proxy.py" "$TARGET_ADDRESS" cut \
    $((8 * MIB))
SOURCE_DIALS=$HELPER_ADDRESS
start_source image --retry-for 2s --progress=4
wait_log source 'connecting again' || fail "the source did not try again"
stop_process "$HELPER_PID"
begun=$SECONDS
wait_source
wait_target
assert_status source 75
assert_status target 75
[ $((SECONDS - begun)) -le 30 ] || fail "gave up only after $SECONDS s"
[ ! -e copy ] || fail "half a copy has the final name"
for side in source target; do
    grep -q '"lost_seconds":[0-9]*,"retry_seconds":[01]}' $side.progress ||
        fail "no progress says that the connection is lost: $side"
done

start_target copy --once --retry-for off
start_flaky cut $((8 * MIB)) 1000000
run_source image --retry-for off
wait_target
assert_status source 75
assert_status target 75
refute_log source 'connecting again'
