#!/bin/bash
# Hundreds of connections that say nothing, or half of a ClientHello, do not
# delay a probe: of the upload server's port, and of a port for probes.
. "$(dirname "$0")/../func/lib.sh"
. "$TESTS/func/lib_cdi.sh"
require python3
[ "$(ulimit -Hn)" -ge 4096 ] || skip "few descriptors are allowed"

crowd() # ADDRESS
{
    start_helper silent python3 "$TESTS/tools/flood.py" "$1" 300 silent
    start_helper half python3 "$TESTS/tools/flood.py" "$1" 300 half
}

answers() # URL BODY: within a second, three times in a row of at most ten
{
    local in_time=0

    for ((i = 0; i < 10 && in_time < 3; i++)); do
        if BODY=$(curl -sSk --max-time 1 "$1" 2>curl.log); then
            assert_equal "$BODY" "$2" "$1"
            in_time=$((in_time + 1))
        else
            in_time=0
        fi
    done
    [ $in_time = 3 ] || fail "$1 is late: $(cat curl.log)"
}

probes_of_target() # URL, without a path
{
    crowd "${1#https://}"
    answers "$1/healthz" ok
    answers "$1/readyz" ready
    curl -sSk --max-time 1 "$1/metrics" | grep -q '^clonewire_build_info' ||
        fail "no metrics"
}

metrics_url()
{
    wait_log target 'metrics at https://' || fail "no port for probes"
    grep -oE 'https://[0-9.:]+' target.log | head -n 1
}

start_target copy --metrics-listen 127.0.0.1:0
probes_of_target "$(metrics_url)"
stop_process "$TARGET_PID"

server_env CLONEWIRE_METRICS_LISTEN=127.0.0.1:0
start_server data.img
TARGET_ADDRESS=$(sed -n 's/.*listening on //p' target.log | tail -n 1)
crowd "$TARGET_ADDRESS"
answers "https://$TARGET_ADDRESS/healthz" OK
probes_of_target "$(metrics_url)"
make_dense image $((2 * MIB))
upload image
assert_answer 200
