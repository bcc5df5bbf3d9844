#!/bin/bash
# Both sides refuse a peer without a certificate, or with an expired one, and
# say so. The peers are openssl's, because clonewire does not start with those.
. "$(dirname "$0")/lib.sh"
require openssl

make_sparse image $((2 * MIB))

show_target() # REGEX S_CLIENT OPTION...
{
    start_target copy --once
    # It stays until it is sent away: the reason comes late in TLS 1.3.
    timeout $LONGEST openssl s_client -connect "$TARGET_ADDRESS" -ign_eof \
        -alpn clonewire/1 -CAfile "$CERTS/ca.crt" "${@:2}" </dev/null >client.out 2>&1 || true
    assert_turned_away "$1"
}

show_target 'source sent no certificate'
grep -q 'certificate required' client.out || fail "client heard no reason"

show_target 'expired on 2020-01-01' -cert "$CERTS/source-expired.crt" \
    -key "$CERTS/source-expired.key"
grep -q 'certificate expired' client.out || fail "client heard no reason"

openssl s_server -accept 127.0.0.1:0 -alpn clonewire/1 -Verify 1 \
    -CAfile "$CERTS/ca.crt" -cert "$CERTS/target-expired.crt" \
    -key "$CERTS/target-expired.key" -www >server.out 2>&1 </dev/null &
server=$!
at_exit stop_process $server
wait_exists server.out
until SOURCE_DIALS=$(sed -n 's/^ACCEPT //p' server.out | head -n 1) &&
    [ -n "$SOURCE_DIALS" ]; do
    is_running $server || fail "openssl: $(cat server.out)"
    sleep 0.05
done
run_source image
assert_status source 20
assert_log source 'expired on 2020-01-01'
