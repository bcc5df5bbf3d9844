#!/bin/bash
# Both programs answer probes and scrapes while they wait and while they
# copy, with the clone's certificate, and promtool likes what they say.
. "$(dirname "$0")/lib.sh"
require python3
PROMTOOL=${PROMTOOL:-promtool}

# The target's certificate is for localhost, the source's is for no server.
get() # ADDRESS PATH: the body in BODY; false unless 200
{
    local ca=()

    [ "$1" != "$target" ] || ca=("$CERTS/ca.crt")
    BODY=$("$TESTS/tools/https_get.py" "https://localhost:${1##*:}$2" "${ca[@]}")
}

address_of() # SIDE
{
    wait_log "$1" 'metrics at https://' || fail "$1 serves no metrics"
    grep -oE 'metrics at https://[^ "]+' "$1.log" | head -n 1
}

expect() # REGEX
{
    grep -qE -- "$1" <<<"$BODY" || fail "no $1 in: $BODY"
}

make_dense disk.img $((64 * MIB))
start_target copy.img --metrics-listen 127.0.0.1:0
target=$(address_of target)

get "$target" /healthz && assert_equal "$BODY" ok /healthz
get "$target" /readyz && assert_equal "$BODY" ready /readyz
! get "$target" /elsewhere || fail "/elsewhere is there"
get "$target" /metrics
expect '^clonewire_build_info\{version="[0-9.]+",side="target"\} 1$'
expect '^clonewire_phase\{phase="starting"\} 1$'
expect '^clonewire_written_bytes_total 0$'
expect '^clonewire_sessions_total 0$'
echo "$BODY" >target.metrics

# A source that came and is held still.
start_source disk.img --metrics-listen 127.0.0.1:0
source=$(address_of source)
wait_log target 'serving 127' || fail "no source came"
kill -STOP "$SOURCE_PID"
get "$target" /metrics
expect '^clonewire_job_info\{job_id="[0-9a-f]{32}",io_engine="(io_uring|threads)",tls="TLSv1.3 [A-Z0-9_]+",image_format="raw"\} 1$'
expect '^clonewire_sessions_total 1$'
expect '^clonewire_phase\{phase="starting"\} 0$'
kill -CONT "$SOURCE_PID"
wait_source
wait_target
assert_status source 0
assert_status target 0

# A source that nobody answers.
SOURCE_DIALS=127.0.0.1:1
start_source disk.img --metrics-listen '[::]:0'
source=$(address_of source)
get "$source" /readyz && assert_equal "$BODY" ready /readyz
for ((i = 0; i < 100; i++)); do
    get "$source" /metrics
    ! grep -qE '^clonewire_retries_total [1-9]' <<<"$BODY" || break
    sleep 0.1
done
expect '^clonewire_retries_total [1-9]'
expect '^clonewire_build_info\{version="[0-9.]+",side="source"\} 1$'
echo "$BODY" >source.metrics

command -v "$PROMTOOL" >/dev/null || skip "promtool is not installed; all else held"
for side in source target; do
    "$PROMTOOL" check metrics <$side.metrics ||
        fail "promtool does not like the $side's metrics"
done
