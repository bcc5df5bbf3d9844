#!/bin/bash
# Without a checkpoint, an interrupted clone on a device resumes without --yes,
# and does not send again what is there. A device with foreign data is refused
# unchanged.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/../fault/lib_resume.sh"
. "$(dirname "$0")/../fault/lib_device.sh"
require mkfs.ext4 mkswap

SIZE=$((96 * MIB))
SOURCE_WITH+=(--job-id the-job)

begin_and_kill_device() # CHUNK [OPTION of the target...]
{
    begin_on_device "$@"
    kill_both_now
}

assert_not_recognized()
{
    assert_refused recognized 'not a clone that this source began' "$before"
}

# Noise with a hole, so that zeros are on the device in any case.
make_dense image $SIZE
fallocate -p -o $((8 * MIB)) -l $((8 * MIB)) image
attach_target_device

# Killed early and late; the blank check was at the first run.
for chunk in 24 80; do
    begin_and_kill_device $chunk
    continue_on_device
    assert_kept recognized $(((chunk - 8) * MIB)) # as many may be in flight
    assert_log target 'comparing what .* holds with the source'
done

# Complete, and the same again: nothing is sent.
continue_on_device
assert_kept recognized $SIZE
assert_equal "$(count_of source data_bytes)" 0 "bytes sent"

# A record that is lost makes no difference.
mkdir state
begin_and_kill_device 50 --state-dir state
rm -rf state/*
continue_on_device --state-dir state
assert_kept recognized $((42 * MIB))
rm -rf state

# A foreign filesystem, on blank and on written space; the record, if there
# is one, stays as it was.
mkdir state
for make in "mkfs.ext4 -qF" "mkfs.ext4 -qF -E nodiscard" "mkswap -q"; do
    for with in "" "--state-dir state --checkpoint-every 100ms"; do
        # shellcheck disable=SC2086
        begin_and_kill_device 60 $with
        $make "$device"
        before=$(sum_of_device)
        # shellcheck disable=SC2086
        continue_on_device $with
        assert_not_recognized
        rm -rf state/*
    done
done

# With one foreign block in it.
begin_and_kill_device 80
put_noise "$device" $((50 * MIB + 8192)) 4096 77
before=$(sum_of_device)
continue_on_device
assert_not_recognized

# With --yes it is, and what is the source's is still not sent.
continue_on_device --yes
assert_kept recognized $((70 * MIB))

# With --yes and nothing of the source's there: no time is lost comparing.
put_noise "$device" 0 $SIZE 5
continue_on_device --yes
assert_kept recognized 0
refute_log target 'comparing what'

# A source that cannot read samples (a stream) is not believed.
begin_and_kill_device 50
before=$(sum_of_device)
gzip -1 -c image >image.gz
start_unattended
run_source image.gz --retry-for off
wait_target
assert_not_recognized
