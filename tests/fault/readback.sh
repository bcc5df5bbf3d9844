#!/bin/bash
# --verify=readback: a disk that gives back something else than it was given
# is found out before success, and what differs is sent again.
. "$(dirname "$0")/../func/lib.sh"
. "$(dirname "$0")/lib_resume.sh"
require_root "loop devices"

SIZE=$((32 * MIB))
make_dense image $SIZE

# An honest disk.
start_target copy --verify readback
run_source image
wait_target
assert_status source 0
assert_status target 0
assert_same image copy $SIZE

# One that stores a wrong byte, once.
make_empty backing $SIZE
faulty_up backing flip-once $((7 * MIB + 5)) $((7 * MIB + 6))
attach "$FAULTY_DISK" --direct-io=on
device=$LOOP
start_target "$device" --verify readback --yes
run_source image
wait_target
assert_status source 0
assert_status target 0
assert_log target 'read back at 7340032: not what was written'
assert_log source 'connecting again'
assert_same image "$device" $SIZE
