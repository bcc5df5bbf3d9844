#!/bin/bash
# A device with an interrupted clone is not blank: only the same job resumes it
# without --yes, because its checkpoint proves it.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/../fault/lib_resume.sh"
. "$(dirname "$0")/../fault/lib_device.sh"

SIZE=$((96 * MIB))
SOURCE_WITH+=(--job-id the-job)
WITH_STATE=(--checkpoint-every 100ms --state-dir state)

# Set up: a clone is interrupted after its first checkpoint.
mkdir state
make_dense image $SIZE
attach_target_device
start_unattended "${WITH_STATE[@]}"
start_slow_source 4MiB image
wait_checkpoint 12 'state/*.clonewire-state'
kill_both_now

# Anything but a resume of that job is refused: the device is not blank.
for options in "--resume off" "--delta"; do
    # shellcheck disable=SC2086
    launch_unattended "${WITH_STATE[@]}" $options
    wait_target
    assert_status target 11
    assert_log target 'say --yes'
done
start_unattended "${WITH_STATE[@]}" --retry-for off
run_source image --job-id another --retry-for off
wait_target
assert_status target 11
assert_status source 11
assert_log source 'unfinished clone of another job'

# The job itself resumes without --yes.
start_unattended "${WITH_STATE[@]}"
run_source image
wait_target
assert_kept "resumed" $((8 * MIB))

# A complete disk needs --yes again.
launch_unattended "${WITH_STATE[@]}" --resume off
wait_target
assert_status target 11
assert_log target 'say --yes'
[ -z "$(ls state)" ] || fail "left: $(ls state)"
