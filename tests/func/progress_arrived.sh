#!/bin/bash
# What lies in the source's socket buffers is not done: over a slow link the
# source says "flushing" only when the target does, and counts until then.
. "$(dirname "$0")/lib.sh"
require nsenter

"$CW_BUILD/bench/bench-slow-link" 8 10 256 >link.out 2>link.log &
LINK_PID=$!
at_exit stop_process $LINK_PID
for ((i = 0; i < 500; i++)); do
    ! read -r _ NEAR FAR <link.out || break
    is_running $LINK_PID || skip "no slow link here: $(cat link.log)"
    sleep 0.02
done
SOURCE_UNDER=(nsenter --net="$NEAR" --)
TARGET_UNDER=(nsenter --net="$FAR" --)
LISTEN=198.18.0.2:0

# 3 s at 1 MB/s; all of it fits into the buffers, and leaves in milliseconds.
make_dense image $((3 * MIB))
SOURCE_WITH=(--server-name=localhost --compress=off)
start_target copy
start_source image --lanes=1
wait_log source flushing || fail "the source never flushed"
# The target logs it before the source can hear of it.
assert_log target flushing
both_succeed
assert_same image copy $((3 * MIB))
