#!/bin/bash
# An idle pipe on stdin does not keep a source alive after its target is lost.
# shellcheck source=lib.sh
. "$(dirname "$0")/../func/lib.sh"

mkfifo input
exec 7<>input # open at both ends, so that it never ends
start_target copy.raw
# shellcheck disable=SC2016
SOURCE_UNDER=(bash -c 'exec "$@" <input' -)
start_source - --size=20M
noise 3000000 >input
wait_log source 'copying' || fail "nothing is copied"
kill -KILL "$TARGET_PID"
wait_source
[ "$SOURCE_STATUS" != 0 ] || fail "the source called it a success"
assert_log source 'connection|target'
[ ! -e copy.raw ] || fail "half of it arrived"
