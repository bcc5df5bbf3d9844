#!/bin/bash
# An alert in plain text, which anyone on the way can forge, takes a URL source
# neither from clonewire/1 to HTTP nor from TLS 1.3 to TLS 1.2.
. "$(dirname "$0")/../func/lib.sh"
. "$TESTS/func/lib_cdi.sh"
. "$TESTS/func/lib_cloner.sh"
require python3

refused_through_alert() # ADDRESS
{
    start_helper flaky python3 "$TESTS/tools/flaky.py" "$1" alert 0 1
    SERVER_ADDRESS=$HELPER_ADDRESS
    run_cloner block "$PWD/image"
    assert_failed 'the target has TLS 1.3, but something on the way forged an alert'
    assert_log source 'trying TLS 1.2'
}

make_dense image $((2 * MIB))

# Our own server: nothing was written, and without the alert it is clonewire/1.
start_server data.img
refused_through_alert "$TARGET_ADDRESS"
SERVER_ADDRESS=$TARGET_ADDRESS
run_cloner block "$PWD/image"
assert_status source 0
assert_log source 'connected to .* TLSv1.3'
wait_success 'Clone Complete'
cmp image data.img

# Another server with TLS 1.3.
start_http_server
refused_through_alert "$SERVER_ADDRESS"
