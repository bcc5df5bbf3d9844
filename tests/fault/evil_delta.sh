#!/bin/bash
# A source that sends before the target has scanned its disk is refused: a
# delta would not know what it changes. The disk is idle, so that its old
# content is known.
. "$(dirname "$0")/../func/lib.sh"
one_try

make_dense older $((8 * MIB))
faulty_up older slow 1G
attach "$FAULTY_DISK"
start_target "$LOOP" --lanes=2 --delta --io-mode=direct
kill -STOP "$KIT_PID"
at_exit kill -CONT "$KIT_PID"
"$TOOLS/evil_source" chunk-missing "$TARGET_ADDRESS" "$CERTS/source.crt" \
    "$CERTS/source.key" "$CERTS/ca.crt" >evil.log 2>&1 ||
    fail "the sin was not committed: $(cat evil.log)"
kill -CONT "$KIT_PID"
wait_target
assert_status target 21
assert_log target 'at 0: chunk came before it was announced'
assert_log evil 'heard error 21: .*before it was announced'
