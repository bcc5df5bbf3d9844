# shellcheck shell=bash disable=SC2154
# lib_device.sh - for scripts about an interrupted clone to a block device, by a
# target that runs without --yes, as in a pod.  After func/lib.sh and
# lib_resume.sh.  A script sets SIZE and makes image.
#
#   attach_target_device            a blank disk of SIZE: $device
#   launch_unattended [OPTION…]     a target of $device without --yes
#   start_unattended [OPTION…]      the same, until it listens
#   begin_on_device CHUNK [OPTION…]    a slow clone, until CHUNK is written
#   kill_both_now                   kills source and target
#   continue_on_device [OPTION…]    both again, to the end
#   assert_kept WHAT BYTES          both ended well, and did not send BYTES
#   assert_refused WHAT REGEX BEFORE   both ended with 11, and the SHA-256 of
#                                   the device is still BEFORE
require_loop

attach_target_device()
{
    attach_new disk "$SIZE"
    device=$LOOP
    read -ra TARGET_IDENTITY < <(identity target)
}

launch_unattended() # [OPTION...]
{
    : >target.log
    TARGET_STATUS=
    "$TARGET" --listen "$LISTEN" "${TARGET_IDENTITY[@]}" "$@" "$device" \
        >target.out 2>>target.log </dev/null &
    TARGET_PID=$!
    at_exit stop_process $TARGET_PID
}

start_unattended() # [OPTION...]
{
    launch_unattended "$@"
    wait_listening
}

is_written() # CHUNK: does it hold data on the device?
{
    ! dd if="$device" bs=1M skip="$1" count=1 iflag=direct status=none |
        cmp -s - <(head -c $MIB /dev/zero)
}

begin_on_device() # CHUNK [OPTION of the target...]
{
    local deadline=$((SECONDS + LONGEST))

    blkdiscard -fz "$device"
    start_unattended "${@:2}"
    echo 16MiB >rate
    start_source image --rate-file rate
    until is_written "$1"; do
        is_running "$SOURCE_PID" || fail "the clone has ended"
        [ $SECONDS -le $deadline ] || fail "the clone does not continue"
        sleep 0.02
    done
    slow_down
    is_running "$SOURCE_PID" || fail "the clone has ended"
}

kill_both_now()
{
    stop_process "$SOURCE_PID"
    stop_process "$TARGET_PID"
}

continue_on_device() # [OPTION of the target...]
{
    start_unattended "$@"
    run_source image --retry-for off
    wait_target
}

assert_kept() # WHAT BYTES
{
    assert_status source 0
    assert_status target 0
    assert_same image "$device" "$SIZE"
    [ "$(count_of source same_bytes)" -ge "$2" ] ||
        fail "$1: only $(count_of source same_bytes) bytes were kept"
}

sum_of_device()
{
    sha256sum <"$device"
}

assert_refused() # WHAT REGEX BEFORE
{
    local side

    for side in source target; do
        assert_status $side 11
        assert_log $side "$2"
        assert_log $side 'say --yes'
    done
    assert_equal "$(sum_of_device)" "$3" "$1: the device"
}
