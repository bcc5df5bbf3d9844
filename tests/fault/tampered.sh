#!/bin/bash
# A partial copy or its checkpoint is changed between two runs: only the bytes
# on the disk count. Each clone ends with an equal disk, or is refused with the
# device unchanged.
. "$(dirname "$0")/../func/lib.sh"
. "$(dirname "$0")/lib_resume.sh"

SIZE=$((96 * MIB))
TARGET_WITH+=(--checkpoint-every 200ms)
SOURCE_WITH+=(--job-id the-job)
partial=.copy.clonewire-partial record=.copy.clonewire-state

make_dense image $SIZE

# ---- files ----

ends_right() # WHAT BYTES: so many at least are not sent again
{
    start_target copy
    run_source image
    wait_target
    assert_status source 0
    assert_status target 0
    assert_digests_equal
    cmp image copy || fail "$1: a wrong copy, and status 0"
    [ "$(count_of source same_bytes)" -ge "$2" ] ||
        fail "$1: only $(count_of source same_bytes) bytes were kept"
    [ -z "$(find . -name '.copy.*')" ] || fail "$1: something is left"
    rm -f copy
}

keep_times() # COMMAND...: the partial file keeps its times
{
    touch -r $partial times
    "$@"
    touch -r times $partial
}

begin_and_kill_at 30
keep_times put_noise $partial $((5 * MIB + 12345)) 1 1
keep_times put_noise $partial $((20 * MIB)) $((2 * MIB)) 2
ends_right "bytes changed" $((26 * MIB))
assert_log target 'chunks were not what the checkpoint claimed'

begin_and_kill_at 30
keep_times dd if=/dev/zero of=$partial bs=1M seek=3 count=20 conv=notrunc status=none
ends_right "bytes lost" $((9 * MIB))

begin_and_kill_at 12
cp --sparse=always $partial snapshot
ends_right "as it was" $((12 * MIB))
begin_and_kill_at 40
keep_times dd if=snapshot of=$partial bs=1M conv=notrunc status=none
ends_right "rolled back, the record not" $((12 * MIB))

begin_and_kill_at 30
cp $record older.record
ends_right "as it was" $((30 * MIB))
begin_and_kill_at 12
cp older.record $record
ends_right "a record from the future" $((12 * MIB))

begin_and_kill_at 30
rm $partial
(umask 077 && truncate -s $SIZE $partial)
ends_right "made again" 0

begin_and_kill_at 30
truncate -s 20M $partial
truncate -s $SIZE $partial
ends_right "cut and grown" $((18 * MIB))

begin_and_kill_at 30
put_noise $record 700 400 3
ends_right "a damaged record" $((30 * MIB))

begin_and_kill_at 30
: >$record
ends_right "an empty record" $((30 * MIB))

# The record of another disk under this one's name.
mkdir other
begin_and_kill_at 30
put_noise image2 0 $SIZE 9
(
    cd other || exit
    DISK=../image2 begin_and_kill
)
cp other/$record $record
rm -r other
ends_right "another disk's record" $((30 * MIB))
assert_log target 'of another disk or target: ignored'

# ---- devices, by a service without --yes ----

[ "$(id -u)" = 0 ] || exit 0
. "$(dirname "$0")/lib_device.sh"

TARGET_ON_DEVICE=(--checkpoint-every 100ms --state-dir state)

begin_and_kill_device() # CHUNKS: so many at least are in the checkpoint
{
    rm -rf state
    mkdir state
    begin_on_device "$1" "${TARGET_ON_DEVICE[@]}"
    wait_checkpoint "$1" 'state/*.clonewire-state'
    kill_both_now
}

ends_right_there() # WHAT BYTES
{
    continue_on_device "${TARGET_ON_DEVICE[@]}"
    assert_kept "$1" "$2"
}

is_refused_there() # WHAT
{
    local before

    before=$(sum_of_device)
    continue_on_device "${TARGET_ON_DEVICE[@]}"
    assert_refused "$1" '' "$before"
}

attach_target_device

begin_and_kill_device 30
put_noise "$device" $((20 * MIB + 4096)) 4096 4
ends_right_there "a block changed" $((28 * MIB))
assert_log target 'chunks were not what the checkpoint claimed'

begin_and_kill_device 30
blkdiscard -fz -o $((4 * MIB)) -l $((20 * MIB)) "$device"
ends_right_there "rolled back" $((8 * MIB))

begin_and_kill_device 30
blkdiscard -fz "$device"
ends_right_there "made again" 0

begin_and_kill_device 30
put_noise "$device" 0 4096 5
is_refused_there "another user's first block"

begin_and_kill_device 30
put_noise "$device" 0 $SIZE 6
is_refused_there "another user's disk"

reattach() # FILE: under the device's name from now on
{
    local deadline=$((SECONDS + LONGEST))

    losetup -d "$device"
    until losetup "$device" "$1" 2>/dev/null; do
        [ $SECONDS -le $deadline ] || fail "$device does not come back"
        sleep 0.1
    done
}

# Another disk under the same name: of the same file's name, and of another's.
put_noise disk2 0 $SIZE 7
begin_and_kill_device 30
rm disk
cp disk2 disk
reattach disk
is_refused_there "another volume"
begin_and_kill_device 30
reattach disk2
is_refused_there "another volume, to which the record does not belong"
assert_log target 'of another disk or target: ignored'
