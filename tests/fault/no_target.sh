#!/bin/bash
# Without a target, a source retries for --connect-timeout and then reports it.
# With a target that starts meanwhile, it clones.
. "$(dirname "$0")/../func/lib.sh"

make_sparse image $((2 * MIB))

SOURCE_DIALS=127.0.0.1:9 # discard: nothing listens
SECONDS=0
run_source image --connect-timeout=2s
[ $SECONDS -ge 1 ] || fail "gave up after $SECONDS s"
[ $SECONDS -le 15 ] || fail "took $SECONDS s" # unasked it takes 30
assert_status source 75
assert_log source '127\.0\.0\.1:9.*(refused|Connection)'

SOURCE_DIALS=no-such-host.invalid:8443
run_source image --connect-timeout=1s
assert_status source 75
assert_log source 'no-such-host\.invalid'

LISTEN=127.0.0.1:$(own_port)
SOURCE_DIALS=$LISTEN
start_source image --connect-timeout=60s
wait_log source 'trying again' || fail "it did not wait"
start_target copy
wait_source
wait_target
assert_status source 0
assert_status target 0
assert_same image copy $((2 * MIB))
