#!/bin/bash
# The link between two machines drops everything for a while, then answers
# everything by RST for a while. Both processes stay, continue by themselves,
# and send again only what was in flight.
. "$(dirname "$0")/../func/lib.sh"
. "$(dirname "$0")/lib_resume.sh"
. "$TESTS/tools/netns.sh"
netns_up

SIZE=$((96 * MIB))
make_dense image $SIZE
SOURCE_WITH+=(--dead-peer-timeout=2s --lanes=2 --rate=16MiB --compress=off)
TARGET_WITH+=(--dead-peer-timeout=2s)
start_target copy
start_source image
wait_log target copying || fail "it did not begin"

sleep 1
netns_drop
wait_log source 'connecting again' || fail "the source did not notice"
wait_log target 'waiting for the source to come back' ||
    fail "the target did not notice"
netns_heal
wait_log source 'target holds [0-9]+ of 96' || fail "it did not come back"

sleep 0.5
netns_reset
wait_log source '(reset|refused).*(connecting|trying) again' ||
    fail "the source was not reset"
netns_heal

both_succeed
assert_same image copy $SIZE
[ "$(count_of source reconnects)" -ge 2 ] || fail "it was no cut"
# Twice what two lanes, their sockets and the cable can hold.
[ "$(count_of source data_bytes)" -le $((SIZE + 48 * MIB)) ] ||
    fail "sent $(count_of source data_bytes) bytes"
[ "$(count_of target data_bytes)" -le $((SIZE + 4 * MIB)) ] ||
    fail "wrote $(count_of target data_bytes) bytes"
