#!/bin/bash
# A write error at one place of the target's disk ends both sides with the
# offset and the cause.
. "$(dirname "$0")/../func/lib.sh"

make_dense image $((12 * MIB))
make_empty backing $((12 * MIB))
faulty_up backing eio-write $((7 * MIB + 8192)) $((7 * MIB + 8704))
attach "$FAULTY_DISK" --direct-io=on
device=$LOOP

start_target "$device"
run_source image
wait_target
assert_both_fail 31 "write.* at $((7 * MIB)).*Input/output error"
assert_log source 'target'
