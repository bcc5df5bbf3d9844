#!/bin/bash
# An invalid first message is answered with an error, and the target waits for
# an honest source.
. "$(dirname "$0")/../func/lib.sh"

sin() # SIN REGEX: the target's words
{
    "$TOOLS/evil_source" "$1" "$TARGET_ADDRESS" "$CERTS/source.crt" \
        "$CERTS/source.key" "$CERTS/ca.crt" >evil.log 2>&1 ||
        fail "$1: the sin was not committed: $(cat evil.log)"
    assert_log evil "heard error 21: .*($2)"
    assert_log target "127.0.0.1:[0-9]+.*($2)"
    : >target.log # appended to
}

make_sparse image $((2 * MIB))
start_target copy
sin unknown-message 'unknown message type'
sin long-message 'payload too long'
sin short-message 'cut short'
sin trailing-garbage 'unexpected bytes at the end'
sin wrong-version 'version 99'
# A peer may cause five lines at once, and then one a second.
stop_process "$TARGET_PID"
start_target copy
sin wrong-chunk 'out of bounds|chunks of 512'
sin huge-disk 'out of bounds'
sin unknown-digest 'out of bounds|algorithm 77'
sin finish-first 'first message is FINISH'

run_source image
wait_target
assert_status source 0
assert_status target 0
assert_same image copy $((2 * MIB))
