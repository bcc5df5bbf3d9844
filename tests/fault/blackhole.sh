#!/bin/bash
# A network that drops everything and closes nothing: both sides notice within
# --dead-peer-timeout, and not before.
. "$(dirname "$0")/../func/lib.sh"
one_try
require python3

make_dense image $((16 * MIB))
SOURCE_WITH+=(--dead-peer-timeout=3s) TARGET_WITH+=(--dead-peer-timeout=3s)
start_target copy
start_helper proxy python3 "$TESTS/tools/proxy.py" "$TARGET_ADDRESS" \
    hole 5000000
SOURCE_DIALS=$HELPER_ADDRESS

SECONDS=0
run_source image
wait_target
[ $SECONDS -ge 2 ] || fail "gave up after $SECONDS s"
[ $SECONDS -le 20 ] || fail "took $SECONDS s" # unasked it takes 30
for side in source target; do
    assert_status $side 75
    assert_log $side "$side: .*(no sign of life|no answer)"
done
