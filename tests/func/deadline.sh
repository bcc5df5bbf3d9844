#!/bin/bash
# A target that no source has called by its deadline exits 0 and says so. A
# clone that has begun continues.
. "$(dirname "$0")/lib.sh"

in_seconds() # N
{
    date -u -d "@$(($(date +%s) + $1))" +%Y-%m-%dT%H:%M:%SZ
}

# Whole milliseconds are lost in the second: three make at least two.
begun=$(date +%s%N)
start_target none.img --deadline "$(in_seconds 3)" --termination-log word
wait_target
took_ms=$((($(date +%s%N) - begun) / 1000000))
assert_status target 0
assert_log target 'deadline passed: no source came'
if [ "$took_ms" -lt 1900 ] || [ "$took_ms" -gt 20000 ]; then
    fail "it took $took_ms ms"
fi
[ ! -e none.img ] || fail "a disk came from nowhere"
assert_equal "$(cat word)" '{"side":"target","message":"deadline passed: no source came","kind":"deadline","retryable":true,"deadlinePassed":true}' word

start_target past.img --deadline 2001-01-01T00:00:00Z
wait_target
assert_status target 0

# A source holds still beyond the deadline, and then goes on.
make_dense disk.img $((16 * MIB))
passed=$(($(date +%s) + 4))
start_target copy.img --deadline "$(in_seconds 4)"
start_slow_source 4MiB disk.img
wait_log target 'serving 127' || fail "no source came"
kill -STOP "$SOURCE_PID"
until [ "$(date +%s)" -gt $passed ]; do sleep 0.1; done
is_running "$TARGET_PID" || fail "the deadline cut a clone short"
kill -CONT "$SOURCE_PID"
lift_rate
wait_source
wait_target
assert_status source 0
assert_status target 0
assert_same disk.img copy.img $((16 * MIB))
