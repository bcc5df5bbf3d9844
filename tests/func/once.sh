#!/bin/bash
# A client without a valid certificate does not end a target; with --once, only
# a clone that has begun does.
. "$(dirname "$0")/lib.sh"
require openssl

make_sparse image $((2 * MIB))

knock() # speaks no TLS
{
    exec 3<>"/dev/tcp/127.0.0.1/${TARGET_ADDRESS##*:}"
    printf 'GET / HTTP/1.0\r\n\r\n' >&3
    cat <&3 >/dev/null || true
    exec 3>&-
}

start_target copy
knock
knock
exec 4<>"/dev/tcp/127.0.0.1/${TARGET_ADDRESS##*:}" # says nothing at all
run_source image
wait_target
exec 4>&-
assert_status source 0
assert_status target 0
assert_same image copy $((2 * MIB))
assert_log target '127\.0\.0\.1:[0-9]+'
rm copy

start_target copy --once --retry-for off
knock
knock
start_slow_source 64KiB image
wait_log target copying || fail "the target serves no source"
stop_process "$SOURCE_PID"
wait_target
assert_status target 75
[ ! -e copy ] || fail "a copy was made"
