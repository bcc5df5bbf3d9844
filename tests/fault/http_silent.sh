#!/bin/bash
# An HTTP server that accepts the connection and then stalls, in the body or in
# its answer: --stall-timeout ends the clone, also if a byte of the answer
# arrives now and then.
. "$(dirname "$0")/../func/lib.sh"
. "$TESTS/func/lib_cloner.sh"
cloner_env CLONEWIRE_STALL_TIMEOUT=3s CLONEWIRE_RETRY_FOR=1s

ends() # REGEX IMAGE SERVER-OPTION
{
    start_http_server "$3"
    SECONDS=0
    run_cloner block "$PWD/$2"
    [ $SECONDS -ge 2 ] && [ $SECONDS -le 25 ] || fail "took $SECONDS s, not 3"
    assert_status source 255
    assert_log source "$1"
    stop_process "$SERVER_PID"
}

make_dense small $((2 * MIB))
make_dense large $((96 * MIB)) # more than the kernel takes in for both ends
ends 'no progress for 3 s: no lane waits for .*disk, .*network' large --deaf
ends 'got all, and has not answered for 3 s' small --trickle
