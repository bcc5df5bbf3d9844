#!/bin/bash
# A disk that another process writes is not cloned, or the clone fails.
. "$(dirname "$0")/../func/lib.sh"
. "$(dirname "$0")/../fault/lib_resume.sh"
require python3
one_try

SIZE=$((64 * MIB))
assert_changed()
{
    local side

    for side in source target; do
        assert_status $side 12
        assert_log $side 'was written to while it was read'
    done
}

make_dense image $SIZE

start_helper guest python3 "$TESTS/tools/guest.py" image write
LOCKER=$HELPER_PID
start_target copy
run_source image
assert_status source 12
assert_log source 'image is in use: a running machine'
run_source image --allow-in-use
wait_target
assert_status source 0
assert_same image copy $SIZE
stop_process $LOCKER || true
rm copy

# Written to while it is read.
start_target copy
start_slow_source 8MiB image
wait_log source copying || fail "it did not begin"
put_noise image $((3 * MIB)) 4096 5
lift_rate
wait_source
wait_target
assert_changed
[ ! -e copy ] || fail "a copy of no moment has the final name"

# A device that is mounted, and one that changes; a device has no times.
[ "$(id -u)" = 0 ] || exit 0
attach image
device=$LOOP
mkfs.ext4 -q -F "$device" || skip "no mkfs.ext4"
mount_at mnt "$device"
start_target copy
run_source "$device"
assert_status source 12
assert_log source 'is in use: mounted'
unmount mnt
noise $SIZE 3 | dd of="$device" bs=1M conv=notrunc,fsync status=none
run_source "$device"
wait_target
assert_status source 0
rm copy
start_target copy
start_slow_source 8MiB "$device"
wait_log source copying || fail "it did not begin"
sleep 0.5 # so that some of it is read
noise $((60 * MIB)) 9 | dd of="$device" bs=1M conv=notrunc status=none
lift_rate
wait_source
wait_target
assert_changed
