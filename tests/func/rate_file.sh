#!/bin/bash
# --rate-file sets the rate, and SIGHUP reads it again; an invalid value
# changes nothing.
. "$(dirname "$0")/lib.sh"

make_dense image $((64 * MIB))
echo 1MiB >rate
start_target copy
start_source image --rate-file rate
wait_log source copying || fail "it did not begin"
sleep 1
echo 12 >rate
kill -HUP "$SOURCE_PID"
wait_log source 'rate: "12" is neither off nor a rate .*stays as it was' || fail "it took nonsense"
is_running "$SOURCE_PID" || fail "64 MiB were sent at once"
echo off >rate
kill -HUP "$SOURCE_PID"
wait_log source 'the rate limit is now 0 B a second' || fail "it did not look again"
wait_source 30 # at 1 MiB a second it would take longer than that
wait_target
assert_status source 0
assert_status target 0
assert_same image copy $((64 * MIB))

SOURCE_DIALS=127.0.0.1:1
run_source image --rate-file none
assert_status source 2
assert_log source 'read a rate from none: No such file'
