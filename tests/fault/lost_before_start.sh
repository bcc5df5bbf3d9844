#!/bin/bash
# The target is lost during the negotiation, for example restarted: the source
# connects again within --connect-timeout.
. "$(dirname "$0")/../func/lib.sh"
. "$(dirname "$0")/lib_resume.sh"
require python3

make_dense image $((4 * MIB))

# Cuts at many points of the handshake and of the first messages.
for bytes in 700 1900 2600 3100 3700; do
    start_target copy
    start_flaky cut $bytes 6
    SOURCE_DIALS=$HELPER_ADDRESS
    start_source image
    both_succeed
    assert_log source '(trying|connecting) again'
    assert_same image copy $((4 * MIB))
    rm copy
done

# At once where no retry is wanted.
start_target copy --once
start_flaky cut 2600 1
SOURCE_WITH=(--retry-for=off --connect-timeout=2s)
run_source image
assert_status source 75
refute_log source 'connecting again'
kill "$TARGET_PID"
wait_target
