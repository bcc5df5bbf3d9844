#!/bin/bash
# All writes succeed and the flush fails: neither side reports a copy.
. "$(dirname "$0")/../func/lib.sh"

make_dense image $((6 * MIB))
make_empty backing $((6 * MIB))
faulty_up backing flush-eio
attach "$FAULTY_DISK" --direct-io=on
device=$LOOP

start_target "$device"
run_source image
wait_target
assert_both_fail 31 '(flush|sync).*Input/output error'
for side in source target; do
    refute_log $side '100 ?%'
done

# Nor may a checkpoint speak of what no flush has made true; and a failed
# flush in the middle is the end at once.  Other data, so that there is a middle.
make_dense image $((6 * MIB)) 2
mkdir state
start_target "$device" --state-dir state --checkpoint-every 100ms
run_source image --rate 1MiB
wait_target
assert_both_fail 31 '(flush|sync).*Input/output error'
refute_log source 'flushing'
[ -z "$(find state -type f)" ] || fail "there is a checkpoint"
