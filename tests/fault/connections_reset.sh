#!/bin/bash
# The network resets every connection in mid-stream: both sides end at once.
. "$(dirname "$0")/../func/lib.sh"
one_try
require python3

make_dense image $((16 * MIB))

for bytes in 3000000 12000000; do
    start_target copy
    start_helper proxy python3 "$TESTS/tools/proxy.py" "$TARGET_ADDRESS" \
        cut $bytes
    SOURCE_DIALS=$HELPER_ADDRESS
    run_source image
    wait_target 10
    assert_status source 75
    assert_status target 75
    assert_log source 'source: .*(connection|reset|closed|lost)'
    assert_log target 'target: .*(connection|reset|closed|lost)'
    [ ! -e copy ] || fail "half a copy has the final name"
done
