#!/bin/bash
# A device that is mounted, open by another process, or written by another
# target is refused before the target listens.
. "$(dirname "$0")/lib.sh"
require_loop
require mkfs.ext4 python3

truncate -s 16M volume
mkfs.ext4 -q volume
attach volume
device=$LOOP
mount_at mounted "$device"
refuse_target 11 "$device.*(mounted|in use)" "$device"
umount mounted

python3 -c "import os, sys, time
fd = os.open('$device', os.O_RDWR | os.O_EXCL)
open('held', 'w').close()
time.sleep(60)" &
holder=$!
at_exit stop_process $holder
wait_exists held
refuse_target 11 "$device.*in use" "$device"
stop_process $holder

start_target "$device"
refuse_target 11 "$device.*in use" "$device"
