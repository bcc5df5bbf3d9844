# shellcheck shell=bash
# lib_resume.sh - for scripts about clones that are interrupted.  After
# func/lib.sh.
#
#   start_flaky FAULT BYTES TIMES   a network in front of the target, that
#                                   start_source dials
#   begin_slowly CHUNKS [OPTION…]   a clone of $DISK to copy that is slow once
#                                   CHUNKS are written
#   begin_and_kill_at CHUNKS [OPTION…]   the same; kills both sides once CHUNKS
#                                   are in the checkpoint
#   begin_and_kill [OPTION…]        begin_and_kill_at 12
#   count_of SIDE FIELD             a number of its summary

DISK=image
LISTEN=127.0.0.1:$(own_port) # the next target is where the last one was
SOURCE_WITH+=(--log-format json)
TARGET_WITH+=(--log-format json)

start_flaky() # FAULT BYTES TIMES
{
    start_helper flaky python3 "$TESTS/tools/flaky.py" "$TARGET_ADDRESS" "$@"
    FLAKY_PID=$HELPER_PID SOURCE_DIALS=$HELPER_ADDRESS
}

count_of() # SIDE FIELD
{
    grep -h '"event":"summary"' "$1.out" | grep -oE "\"$2\":[0-9]+" |
        cut -d : -f 2
}

wait_checkpoint() # CHUNKS [FILE]: until the checkpoint has that many chunks
{
    local file=${2:-.copy.clonewire-state} deadline=$((SECONDS + LONGEST))

    # A header and two bitmaps, a digest of 16 bytes per chunk, a code.
    # shellcheck disable=SC2086 # a pattern
    until [ "$(stat -c %s $file 2>/dev/null || echo 0)" -ge \
        $((3000 + 16 * $1)) ]; do
        is_running "$SOURCE_PID" || fail "the clone has ended"
        [ $SECONDS -le $deadline ] || fail "no checkpoint was made"
        sleep 0.02
    done
}

kill_both()
{
    stop_process "$SOURCE_PID" || true
    stop_process "$TARGET_PID" || true
    [ -e .copy.clonewire-state ] || fail "the checkpoint is gone"
}

wait_allocated() # BYTES: until the partial file has that many
{
    local deadline=$((SECONDS + LONGEST))

    until [ "$(allocated_bytes .copy.clonewire-partial 2>/dev/null ||
        echo 0)" -ge "$1" ]; do
        is_running "$SOURCE_PID" || fail "the clone has ended"
        [ $SECONDS -le $deadline ] || fail "the clone does not continue"
        sleep 0.02
    done
}

begin_slowly() # CHUNKS [OPTION of the source...]: so many are written
{
    echo 16MiB >rate
    start_target copy
    start_source "$DISK" --rate-file rate "${@:2}"
    wait_allocated $((($1 + 1) * MIB))
    slow_down
}

slow_down() # the clone lasts longer than any flush takes
{
    echo 512KiB >rate
    kill -HUP "$SOURCE_PID"
}

begin_and_kill_at() # CHUNKS [OPTION of the source...]
{
    begin_slowly "$@"
    wait_checkpoint "$1"
    kill_both
}

begin_and_kill() # [OPTION of the source...]
{
    begin_and_kill_at 12 "$@"
}
