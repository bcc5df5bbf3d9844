#!/bin/bash
# A clone over IPv6, and to a name with several addresses.
. "$(dirname "$0")/lib.sh"
grep -q '^00000000000000000000000000000001 ' /proc/net/if_inet6 2>/dev/null ||
    skip "no IPv6 loopback"

make_sparse image $((2 * MIB))
LISTEN='[::1]:0'
clone image copy
assert_log target 'listening on \[::1\]:'
assert_same image copy $((2 * MIB))
rm copy

# localhost is ::1 first on most systems, and nobody listens there.
LISTEN=127.0.0.1:0
start_target copy
SOURCE_DIALS=localhost:${TARGET_ADDRESS##*:}
run_source image
wait_target
assert_status source 0
assert_same image copy $((2 * MIB))
