#!/bin/bash
# SIGUSR1 makes both sides log their progress, and SIGHUP makes them read their
# keys again, so that a certificate can be renewed during a clone. Neither
# disturbs the clone, also before the target is up. The clone keeps to --rate.
. "$(dirname "$0")/lib.sh"

make_dense image $((60 * MIB))
cp "$CERTS"/{source,ca}.* .
SOURCE_IDENTITY=(--cert source.crt --key source.key --ca ca.crt)

# The target is not there yet: asked before it is, the source goes on calling.
SOURCE_DIALS=127.0.0.1:1
start_source image
wait_log source 'trying again' || fail "it gave up"
kill -USR1 "$SOURCE_PID"
wait_log source 'status: planning' || fail "no status while it calls"
kill -HUP "$SOURCE_PID"
wait_log source 'reading certificates and keys again' || fail "no reload"
kill -TERM "$SOURCE_PID"
wait_source
assert_status source 143
unset SOURCE_DIALS

start_target copy
begun=$(date +%s%N)
start_source image --rate 10MiB
wait_log source copying || fail "it did not begin"
sleep 1
kill -USR1 "$SOURCE_PID" "$TARGET_PID"
wait_log source 'status: copying, [0-9.]+ MiB of 60 MiB done' ||
    fail "the source did not say how far it is"
wait_log target 'status: copying' || fail "the target did not say how far it is"
kill -HUP "$SOURCE_PID" "$TARGET_PID"
wait_log source 'reading certificates and keys again' || fail "no reload"
wait_log target 'reading certificates and keys again' || fail "no reload"
echo nonsense >source.crt
kill -HUP "$SOURCE_PID"
wait_log source 'going on with what was read before' || fail "no word"
wait_source
took_ms=$((($(date +%s%N) - begun) / 1000000))
wait_target
assert_status source 0
assert_status target 0
assert_digests_equal
assert_same image copy $((60 * MIB))
if [ $took_ms -lt 5700 ] || [ $took_ms -gt 20000 ]; then
    fail "60 MiB at 10 MiB/s took $took_ms ms"
fi
