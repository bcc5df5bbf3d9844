#!/bin/bash
# A real I/O error during zeroing is not taken for "unsupported".
. "$(dirname "$0")/../func/lib.sh"

make_empty image $((12 * MIB))
make_dirty backing $((12 * MIB))
faulty_up backing eio-write $((7 * MIB)) $((8 * MIB))
attach "$FAULTY_DISK" --direct-io=on
device=$LOOP

start_target "$device"
run_source image
wait_target
assert_both_fail 31 'zero.*Input/output error'
