#!/bin/bash
# A clone between file and block device in all four pairs: equal bytes, and
# holes remain.
. "$(dirname "$0")/lib.sh"
require_loop

make_sparse image $((40 * MIB))
attach image
image_device=$LOOP

for from in image "$image_device"; do
    clone "$from" copy
    assert_same image copy $((40 * MIB))
    assert_allocation image copy
    rm copy

    attach_new backing $((40 * MIB))
    device=$LOOP
    clone "$from" "$device"
    assert_same image "$device" $((40 * MIB))
    detach "$device"
done
