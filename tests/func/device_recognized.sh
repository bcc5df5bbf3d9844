#!/bin/bash
# A device without a record: a clone that was begun on it goes on by itself,
# without --yes and without sending what is there; what is somebody's is
# refused before a byte of it is changed.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/../fault/lib_resume.sh"
require_loop
require mkfs.ext4 mkswap

SIZE=$((96 * MIB))
SOURCE_WITH+=(--job-id the-job)

start_unattended() # [OPTION...]: as a pod starts it that has only its volume
{
    : >target.log
    TARGET_STATUS=
    "$TARGET" --listen "$LISTEN" "${TARGET_IDENTITY[@]}" "$@" "$device" \
        >target.out 2>>target.log </dev/null &
    TARGET_PID=$!
    at_exit stop_process $TARGET_PID
}

is_written() # CHUNK: does it hold data on the device?
{
    ! dd if="$device" bs=1M skip="$1" count=1 iflag=direct status=none |
        cmp -s - <(head -c $MIB /dev/zero)
}

begin_and_kill_device() # CHUNK [OPTION of the target...]: both die when it is there
{
    local deadline=$((SECONDS + LONGEST))

    start_unattended "${@:2}"
    wait_listening
    echo 16MiB >rate
    start_source image --rate-file rate
    until is_written "$1"; do
        is_running "$SOURCE_PID" || fail "the clone has ended"
        [ $SECONDS -le $deadline ] || fail "it does not get on"
        sleep 0.02
    done
    # However long the rest takes here, the clone lasts longer.
    echo 512KiB >rate
    kill -HUP "$SOURCE_PID"
    is_running "$SOURCE_PID" || fail "the clone has ended"
    stop_process "$SOURCE_PID" || true
    stop_process "$TARGET_PID" || true
}

finish() # [OPTION of the target...]
{
    start_unattended "$@"
    wait_listening
    run_source image --retry-for off
    wait_target
}

assert_finished() # BYTES that were not sent, at least
{
    assert_status source 0
    assert_status target 0
    assert_same image "$device" $SIZE
    [ "$(count_of source same_bytes)" -ge "$1" ] ||
        fail "only $(count_of source same_bytes) bytes were recognized"
}

assert_refused() # REGEX
{
    local side

    for side in source target; do
        assert_status $side 11
        assert_log $side "$1"
        assert_log $side 'say --yes'
    done
    assert_equal "$(sha256sum <"$device")" "$before" "the device"
}

renew() # blank again
{
    blkdiscard -fz "$device"
}

# Noise with a hole, so that zeros are on the device in any case.
make_dense image $SIZE
fallocate -p -o $((8 * MIB)) -l $((8 * MIB)) image
attach_new disk $SIZE
device=$LOOP
read -ra TARGET_IDENTITY < <(identity target)

# Killed early and late; the blank check was at the first run.
for chunk in 24 80; do
    renew
    begin_and_kill_device $chunk
    finish
    assert_finished $(((chunk - 8) * MIB)) # as many may be in flight
    assert_log target 'comparing what .* holds with the source'
done

# Complete, and the same again: nothing is sent.
finish
assert_finished $SIZE
assert_equal "$(count_of source data_bytes)" 0 "bytes sent"

# A record that is lost makes no difference.
renew
mkdir state
begin_and_kill_device 50 --state-dir state
rm -rf state/*
finish --state-dir state
assert_finished $((42 * MIB))
rm -rf state

# Somebody's filesystem, on blank and on written space; the record, if there
# is one, stays as it was.
mkdir state
for make in "mkfs.ext4 -qF" "mkfs.ext4 -qF -E nodiscard" "mkswap -q"; do
    for with in "" "--state-dir state --checkpoint-every 100ms"; do
        renew
        # shellcheck disable=SC2086
        begin_and_kill_device 60 $with
        $make "$device"
        before=$(sha256sum <"$device")
        # shellcheck disable=SC2086
        finish $with
        assert_refused 'not a clone that this source began'
        rm -rf state/*
    done
done

# With somebody's changes in it, however small.
renew
begin_and_kill_device 80
put_noise "$device" $((50 * MIB + 8192)) 4096 77
before=$(sha256sum <"$device")
finish
assert_refused 'not a clone that this source began'

# With --yes it is, and what is the source's is still not sent.
finish --yes
assert_finished $((70 * MIB))

# With --yes and nothing of the source's there: no time is lost comparing.
put_noise "$device" 0 $SIZE 5
finish --yes
assert_finished 0
refute_log target 'comparing what'

# A source that cannot read samples (a stream) is not believed.
renew
begin_and_kill_device 50
before=$(sha256sum <"$device")
gzip -1 -c image >image.gz
start_unattended
wait_listening
run_source image.gz --retry-for off
wait_target
assert_refused 'not a clone that this source began'
