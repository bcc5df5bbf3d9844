#!/bin/bash
# Every write succeeds, the flush does not: nobody may call that a copy.
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
