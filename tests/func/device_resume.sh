#!/bin/bash
# A device that is written by a clone is not blank any more: the same job goes
# on without --yes, as its checkpoint proves that it is ours; another does not.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/../fault/lib_resume.sh"
require_loop

SIZE=$((96 * MIB))
SOURCE_WITH+=(--job-id the-job)

start_unattended() # [OPTION...]: as a service starts it, without --yes
{
    : >target.log
    TARGET_STATUS=
    "$TARGET" --listen "$LISTEN" "${TARGET_IDENTITY[@]}" \
        --checkpoint-every 100ms --state-dir state "$@" "$device" \
        >target.out 2>>target.log </dev/null &
    TARGET_PID=$!
    at_exit stop_process $TARGET_PID
}

begin_and_kill_device() # target and source, once there is a checkpoint
{
    local deadline=$((SECONDS + LONGEST))

    start_unattended
    wait_listening
    start_slow_source 4MiB image
    until [ "$(stat -c %s state/*.clonewire-state 2>/dev/null || echo 0)" -ge \
        2928 ]; do
        is_running "$SOURCE_PID" || fail "the clone has ended"
        [ $SECONDS -le $deadline ] || fail "no checkpoint was made"
        sleep 0.02
    done
    stop_process "$SOURCE_PID"
    stop_process "$TARGET_PID"
}

mkdir state
make_dense image $SIZE
attach_new disk $SIZE
device=$LOOP
read -ra TARGET_IDENTITY < <(identity target)
begin_and_kill_device

# Anything else than going on is refused, as it holds something.
for options in "--resume off" "--delta"; do
    # shellcheck disable=SC2086
    start_unattended $options
    wait_target
    assert_status target 11
    assert_log target 'say --yes'
done
start_unattended --retry-for off
wait_listening
run_source image --job-id another --retry-for off
wait_target
assert_status target 11
assert_status source 11
assert_log source 'unfinished clone of another job'

# The job itself goes on, unattended.
start_unattended
wait_listening
run_source image
wait_target
assert_status source 0
assert_status target 0
assert_same image "$device" $SIZE
[ "$(count_of source same_bytes)" -ge $((8 * MIB)) ] || fail "begun anew"

# Complete, it is anybody's who may overwrite it.
start_unattended --resume off
wait_target
assert_status target 11
assert_log target 'say --yes'
[ -z "$(ls state)" ] || fail "left: $(ls state)"
