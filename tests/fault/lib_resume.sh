# shellcheck shell=bash
# lib_resume.sh - for scripts about clones that are interrupted.  After
# func/lib.sh.
#
#   start_flaky FAULT BYTES TIMES   a network in front of the target, that
#                                   start_source dials
#   begin_and_kill [OPTION...]      a clone of $DISK to copy, slowly; both are
#                                   killed once 12 chunks are in its checkpoint
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

wait_checkpoint() # CHUNKS: so many at least are in that of copy
{
    local deadline=$((SECONDS + LONGEST))

    # digests of 16 bytes, behind a head and two bitmaps
    until [ "$(stat -c %s .copy.clonewire-state 2>/dev/null || echo 0)" -ge \
        $((2416 + 16 * $1)) ]; do
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

begin_and_kill() # [OPTION of the source...]
{
    start_target copy
    start_source "$DISK" --rate 16MiB "$@"
    wait_checkpoint 12
    kill_both
}
