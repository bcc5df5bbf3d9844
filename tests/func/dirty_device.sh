#!/bin/bash
# On a larger device with old data the disk is equal and the tail is zero;
# --tail=keep leaves the tail.
. "$(dirname "$0")/lib.sh"
require_loop

make_sparse image $((12 * MIB + 512))
attach_dirty backing $((20 * MIB))
device=$LOOP
clone image "$device"
assert_same image "$device" $((12 * MIB + 512))

make_dirty "$device" $((20 * MIB))
TARGET_WITH=(--tail=keep)
clone image "$device"
cmp -n $((12 * MIB + 512)) image "$device"
cmp -i $((12 * MIB + 512)):0 -n $((8 * MIB - 512)) "$device" \
    <(head -c $((8 * MIB)) /dev/zero | tr '\0' '\245')
