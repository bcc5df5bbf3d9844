#!/bin/bash
# --target-is-zero skips zeroing; a device that is not zero is detected.
. "$(dirname "$0")/lib.sh"
require_loop

make_sparse image $((12 * MIB))
TARGET_WITH=(--target-is-zero)
attach_new backing $((16 * MIB))
clean=$LOOP
clone image "$clean"
assert_same image "$clean" $((12 * MIB))
# Nothing but the data was written to the sparse file below.
assert_allocation image backing

attach_dirty full $((16 * MIB))
dirty=$LOOP
start_target "$dirty"
run_source image
wait_target
assert_both_fail 11 'not zero'
