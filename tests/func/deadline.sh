#!/bin/bash
# A target that nobody comes to by the deadline ends with status 0 and says
# so; a clone that has begun is never cut short.
. "$(dirname "$0")/lib.sh"

in_seconds() # N
{
    date -u -d "@$(($(date +%s) + $1))" +%Y-%m-%dT%H:%M:%SZ
}

# Whole milliseconds are lost in the second: two make at least one.
begun=$(date +%s%N)
start_target none.img --deadline "$(in_seconds 2)" --termination-log word
wait_target
took_ms=$((($(date +%s%N) - begun) / 1000000))
assert_status target 0
assert_log target 'deadline passed: no source came'
if [ "$took_ms" -lt 900 ] || [ "$took_ms" -gt 6000 ]; then
    fail "it took $took_ms ms"
fi
[ ! -e none.img ] || fail "a disk came from nowhere"
assert_equal "$(cat word)" '{"side":"target","message":"deadline passed: no source came","kind":"deadline","retryable":true,"deadlinePassed":true}' word

start_target past.img --deadline 2001-01-01T00:00:00Z
wait_target
assert_status target 0

# A source holds still beyond the deadline, and then goes on.
make_dense disk.img $((32 * MIB))
start_target copy.img --deadline "$(in_seconds 3)"
start_source disk.img
wait_log target 'serving 127' || fail "no source came"
kill -STOP "$SOURCE_PID"
sleep 4
is_running "$TARGET_PID" || fail "the deadline cut a clone short"
kill -CONT "$SOURCE_PID"
wait_source
wait_target
assert_status source 0
assert_status target 0
assert_same disk.img copy.img $((32 * MIB))
