#!/bin/bash
# A client without a valid certificate does not end a target, unless it has
# --once.
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

start_target copy --once
knock
wait_target
assert_status target 20
[ ! -e copy ] || fail "a copy was made"
