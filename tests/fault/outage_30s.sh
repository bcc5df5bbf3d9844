#!/bin/bash
# The network drops everything for 30 s, with default timeouts: both processes
# stay, and continue by themselves.
. "$(dirname "$0")/../func/lib.sh"
. "$(dirname "$0")/lib_resume.sh"
. "$TESTS/tools/netns.sh"
require_plain_build "it takes its time once"
LONGEST=200
netns_up

SIZE=$((96 * MIB))
make_dense image $SIZE
echo 2MiB >rate # it lasts longer than the hole, until there is one
SOURCE_WITH+=(--lanes=2 --rate-file=rate --compress=off)
start_target copy
start_source image
wait_log target copying || fail "it did not begin"

sleep 1
netns_drop
echo off >rate
kill -HUP "$SOURCE_PID"
wait_log source 'the rate limit is now 0 B' || fail "it did not look again"
sleep 30
is_running "$SOURCE_PID" || fail "the source did not wait"
is_running "$TARGET_PID" || fail "the target did not wait"
netns_heal

both_succeed
assert_same image copy $SIZE
# Twice what two lanes, their sockets and the cable can hold.
[ "$(count_of source data_bytes)" -le $((SIZE + 48 * MIB)) ] ||
    fail "sent $(count_of source data_bytes) bytes"
[ "$(count_of target data_bytes)" -le $((SIZE + 4 * MIB)) ] ||
    fail "wrote $(count_of target data_bytes) bytes"
