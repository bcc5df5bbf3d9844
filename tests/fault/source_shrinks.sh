#!/bin/bash
# An image cut short while it is read is an error with a place, never a
# shorter disk.
. "$(dirname "$0")/../func/lib.sh"
one_try

make_dense image $((48 * MIB))
make_empty backing $((48 * MIB))
faulty_up backing slow 80M # slow at the far end, so that there is time
attach "$FAULTY_DISK" --direct-io=on
device=$LOOP
start_target "$device"
start_source image --lanes=1
wait_log target 'serving '
sleep 0.3
truncate -s $((40 * MIB)) image
wait_source
wait_target
assert_both_fail 12 "at $((40 * MIB)) of image: .*(shrunk|shorter)"
