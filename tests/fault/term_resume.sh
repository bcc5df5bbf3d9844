#!/bin/bash
# SIGTERM in the middle: the target saves a checkpoint, both sides end within
# five seconds, and the next start resumes.
. "$(dirname "$0")/../func/lib.sh"
. "$(dirname "$0")/lib_resume.sh"

SIZE=$((48 * MIB))
make_dense image $SIZE
# No checkpoint but the one that the signal causes.
TARGET_WITH+=(--checkpoint-every=1h)
SOURCE_WITH+=(--lanes=1 --compress=off --job-id=clone)

stopped() # SIDE N: told to, when N thirds are there
{
    local pid

    start_target copy --once --retry-for=off
    start_source image --rate=8MiB --retry-for=off
    wait_allocated $((SIZE * $2 / 3))
    if [ "$1" = target ]; then pid=$TARGET_PID; else pid=$SOURCE_PID; fi
    SECONDS=0
    kill -TERM "$pid"
    wait_source
    wait_target
    [ "$1" = source ] || [ $SECONDS -le 15 ] || fail "took $SECONDS s"
    assert_status "$1" 143
    [ ! -e copy ] || fail "half a copy has the final name"
    [ -s .copy.clonewire-state ] || fail "no checkpoint is left"
}

stopped target 1
stopped source 2
assert_log target 'going on with what an earlier run left'

start_target copy
run_source image
wait_target
assert_status source 0
assert_status target 0
assert_digests_equal
assert_same image copy $SIZE
assert_log target 'going on with what an earlier run left: [0-9]+ of 48'
[ "$(count_of source data_bytes)" -le $((SIZE - 24 * MIB)) ] ||
    fail "sent $(count_of source data_bytes) bytes again"
