#!/bin/bash
# A process that holds a key leaves no core file, is closed to debuggers of its
# own user, and what it starts gains no privileges.
. "$(dirname "$0")/lib.sh"
require_root "another user"
require setpriv

chmod 711 .
mkdir -m 700 room
chown 65534 room
setpriv --reuid=65534 --clear-groups test -w "$PWD/room" ||
    skip "another user cannot reach $PWD"
TARGET_UNDER=(setpriv --reuid=65534 --clear-groups)
TARGET_IDENTITY=(-v)
start_target "$PWD/room/copy"
grep -qE '^Max core file size +0 +0 ' "/proc/$TARGET_PID/limits" ||
    fail "$(grep core "/proc/$TARGET_PID/limits")"
grep -qE '^NoNewPrivs:[[:space:]]+1$' "/proc/$TARGET_PID/status" ||
    fail "$(grep NoNewPrivs "/proc/$TARGET_PID/status")"
# The kernel gives what belongs to such a process to root.
if ! grep -q __asan_init "$TARGET"; then
    assert_equal "$(stat -c %u "/proc/$TARGET_PID/environ")" 0 "owner"
fi
