#!/bin/bash
# CDI's controller finds the progress of cdi-cloner: over HTTPS, at any path,
# in the expression that it searches for. The progress never decreases.
. "$(dirname "$0")/lib.sh"
. "$TESTS/func/lib_cloner.sh"
require curl

make_dense disk $((8 * MIB))
# The first attempt stops in the middle until the proxy is gone.
start_http_server
start_helper proxy python3 "$TOOLS_DIR/proxy.py" "$SERVER_ADDRESS" freeze \
    $((3 * MIB))
SERVER_ADDRESS=$HELPER_ADDRESS
start_cloner block "$PWD/disk"
wait_log source 'metrics at https://' || fail "no metrics"
url=$(grep -oE 'https://127[^ ]+' source.log | head -n 1)

progress() # PATH [CURL OPTION...]
{
    curl -sSk --max-time 20 "${@:2}" "$url$1"
}
for path in / /metrics /any/other; do
    progress $path >page
    sed 's/[0-9.]*$//' page | diff - <(
        echo '# HELP kubevirt_cdi_clone_progress_total The clone progress in percentage'
        echo '# TYPE kubevirt_cdi_clone_progress_total counter'
        echo 'kubevirt_cdi_clone_progress_total{ownerUID="3f1c-42"} '
    ) || fail "another page at $path: $(cat page)"
    grep -oP '(kubevirt_cdi_clone_progress_total)\{ownerUID\="3f1c-42"\} (\d{1,3}\.?\d*)$' \
        page >/dev/null || fail "the controller finds nothing: $(cat page)"
done
# A scraper that has nothing newer, while our own side has fast ciphers.
progress / --tls-max 1.2 >page
grep -q '^kubevirt_cdi_clone_progress_total' page || fail "by TLS 1.2: $(cat page)"
before=0
for ((i = 0; i < 600; i++)); do
    now=$(progress / | tail -n 1 | cut -d ' ' -f 2)
    awk "BEGIN { exit !($now >= $before && $now < 100) }" ||
        fail "$before %, and then $now %"
    before=$now
    awk "BEGIN { exit !($now > 5) }" && break
    sleep 0.1
done
awk "BEGIN { exit !($now > 5) }" || fail "no progress: $now %"
subject=$(openssl s_client -connect "${url#https://}" </dev/null 2>/dev/null |
    openssl x509 -noout -subject -issuer | sed 's/.*CN = //' | sort -u | wc -l)
assert_equal "$subject" 1 "names on a certificate signed by itself"
kill "$SOURCE_PID"
wait_source
assert_status source 143

# A port that is taken is no reason to fail.
start_http_server
cloner_env CLONEWIRE_METRICS_LISTEN="$SERVER_ADDRESS"
run_cloner block "$PWD/disk"
assert_complete
assert_log source 'continuing without'
