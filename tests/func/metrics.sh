#!/bin/bash
# Both programs answer probes and scrapes while they wait and copy, with the
# clone's certificate, in a format that Prometheus accepts.
. "$(dirname "$0")/lib.sh"
require python3

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

make_dense disk.img $((32 * MIB))
start_target copy.img --metrics-listen 127.0.0.1:0
target=$(address_of target)

says() # ADDRESS PATH BODY
{
    get "$1" "$2" || fail "$2 is no 200: $BODY"
    assert_equal "$BODY" "$3" "$2"
}

says "$target" /healthz ok
says "$target" /readyz ready
! get "$target" /elsewhere || fail "/elsewhere is there"
get "$target" /metrics
expect '^clonewire_build_info\{version="[0-9.]+",side="target"\} 1$'
expect '^clonewire_phase\{phase="starting"\} 1$'
expect '^clonewire_written_bytes_total 0$'
expect '^clonewire_sessions_total 0$'
echo "$BODY" >target.metrics

# A source that came and is held still.
start_slow_source 4MiB disk.img --metrics-listen 127.0.0.1:0
source=$(address_of source)
wait_log target 'serving 127' || fail "no source came"
kill -STOP "$SOURCE_PID"
get "$target" /metrics
echo "$BODY" >later.metrics
expect '^clonewire_job_info\{job_id="[0-9a-f]{32}",io_engine="(io_uring|threads)",tls="TLSv1.3 [A-Z0-9_]+",image_format="raw"\} 1$'
expect '^clonewire_sessions_total 1$'
expect '^clonewire_phase\{phase="starting"\} 0$'
kill -CONT "$SOURCE_PID"

# The counters of the network move during the copy.
counts() # ADDRESS
{
    for ((i = 0; i < 10 * LONGEST; i++)); do
        get "$1" /metrics
        ! grep -qE '^clonewire_wire_bytes_total [1-9][0-9]{6}' <<<"$BODY" ||
            return 0
        sleep 0.1
    done
    fail "no bytes on the wire: $BODY"
}
counts "$source"
counts "$target"
expect '^clonewire_phase\{phase="copying"\} 1$'
echo "$BODY" >copying.metrics
lift_rate
wait_source
wait_target
assert_status source 0
assert_status target 0

# A source that nobody answers.
SOURCE_DIALS=127.0.0.1:1
start_source disk.img --metrics-listen '[::]:0'
source=$(address_of source)
says "$source" /readyz ready
for ((i = 0; i < 10 * LONGEST; i++)); do
    get "$source" /metrics
    ! grep -qE '^clonewire_retries_total [1-9]' <<<"$BODY" || break
    sleep 0.1
done
expect '^clonewire_retries_total [1-9]'
expect '^clonewire_build_info\{version="[0-9.]+",side="source"\} 1$'
echo "$BODY" >source.metrics

# Strictly read, and by promtool where there is one.
check() { "$TESTS/tools/exposition.py" "${@:2}" <"$1"; }

check source.metrics || fail "the source's metrics"
check target.metrics || fail "the target's metrics"
check later.metrics --since target.metrics || fail "the target's, later"
if command -v promtool >/dev/null; then
    for side in source target later; do
        promtool check metrics <$side.metrics || fail "promtool: $side"
    done
fi

# The checker sees what is wrong.
wrong() # SED-SCRIPT WORDS
{
    sed -E "$1" target.metrics >wrong.metrics
    ! check wrong.metrics >said || fail "nothing is said of: $1"
    grep -qF -- "$2" said || fail "$1: $(cat said)"
}

wrong 's/^# TYPE (clonewire_lanes) .*/# TYPE \1 number/' 'no use for'
wrong '/^# HELP clonewire_lanes/d' 'no HELP'
wrong 's/written_bytes_total/written_bytes/' 'end in _total'
wrong 's/clonewire_ready/clonewire_ready_ms/' 'base unit'
wrong 's/^(clonewire_lanes) .*/\1 many/' 'no number'
wrong 's/side="target"/side="ta\\rget"/' 'bad labels'
wrong 's/^clonewire_lanes .*/&\n&/' 'the same series twice'
wrong 's/^clonewire_lanes .*/&\nclonewire_ready 1/' 'was there before'
sed -E 's/^(clonewire_sessions_total) .*/\1 2/' target.metrics >wrong.metrics
! check later.metrics --since wrong.metrics >said || fail "a counter goes back"

# Alerts and dashboard ask for what is served.
monitoring=$TESTS/../deploy/monitoring
asked() { "$TESTS/tools/monitoring.py" "$1" {source,target,copying}.metrics >said; }
asked "$monitoring" || fail "deploy/monitoring: $(cat said)"
wrong_asked() # FILE SED-SCRIPT WORDS
{
    rm -rf monitoring
    cp -r "$monitoring" monitoring
    sed -i -E "$2" "monitoring/$1"
    ! asked monitoring || fail "nothing is said of: $2"
    grep -qF -- "$3" said || fail "$2: $(cat said)"
}
wrong_asked dashboard.json 's/clonewire_lanes|clonewire_wire_bytes/clonewire_bytes/' 'nothing exports'
wrong_asked rules.yaml 's/phase="copying"/phase="copies"/' 'is never phase=copies'
wrong_asked rules.yaml 's/phase="copying"/stage="copying"/' 'has no label stage'

# The alerts fire when they should, by promtool where there is one.
command -v promtool >/dev/null || exit 0
python3 -c '
import sys, yaml
yaml.safe_dump(yaml.safe_load(open(sys.argv[1]))["spec"], open("rules", "w"))
' "$monitoring/rules.yaml"
promtool check rules rules || fail "promtool check rules"
cp "$TESTS/tools/alerts.yaml" alerts.yaml
promtool test rules alerts.yaml || fail "promtool test rules"
