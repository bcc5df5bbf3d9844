#!/bin/bash
# An older copy that cannot be read is an error of the target's disk: both
# sides report it, with the offset.
. "$(dirname "$0")/../func/lib.sh"
one_try

make_dense image $((8 * MIB))
cp image older
put_noise image 4096 4096 3
faulty_up older eio-read $((3 * MIB + 5)) $((3 * MIB + 6))
attach "$FAULTY_DISK" --direct-io=on
start_target "$LOOP" --delta
run_source image
wait_target
assert_both_fail 31 "what the target holds: read .* at $((3 * MIB)) of $LOOP: Input"
