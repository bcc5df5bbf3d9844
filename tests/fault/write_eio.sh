#!/bin/bash
# A target disk that cannot be written at one place ends both sides, with
# the place and the reason.
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
