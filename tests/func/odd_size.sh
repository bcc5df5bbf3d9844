#!/bin/bash
# A disk of 10 MiB and one sector arrives on a device of 4 KiB sectors, with
# zeros after it.
. "$(dirname "$0")/lib.sh"
require_loop

make_dense image $((10 * MIB + 512))
attach_dirty backing $((11 * MIB)) -b 4096
device=$LOOP
clone image "$device"
assert_same image "$device" $((10 * MIB + 512))

# And from such a device, into a file.
clone "$device" copy
assert_same "$device" copy $((11 * MIB))
