# shellcheck shell=bash disable=SC2034
# lib_cloner.sh - cdi-cloner, and a server that shares no code with it: after
# lib.sh, ". …".
#
#   start_http_server [OPTION…]     of tools/cdi_server.py: SERVER_ADDRESS
#   cloner_env NAME=VALUE…          for the cloners started from here on
#   start_cloner MODE PATH [ARG…]   MODE: block or filesystem
#   run_cloner MODE PATH [ARG…]     to the end: SOURCE_STATUS
#   assert_complete [TEXT]          it exited 0 with exactly this message
#   assert_failed REGEX             it exited like klog.Fatal, with that last line
#   server_fact NAME                       that the server recorded
CLONER=$CW_BUILD/cmd/cdi-cloner
CLONER_ENV=()

start_http_server() # [OPTION...]
{
    start_helper server python3 "$TOOLS_DIR/cdi_server.py" "$CERTS" \
        "$PWD/body" "$@"
    SERVER_PID=$HELPER_PID
    SERVER_ADDRESS=$HELPER_ADDRESS
}

cloner_env() # NAME=VALUE...
{
    CLONER_ENV+=("$@")
}

start_cloner() # MODE PATH [ARGUMENT...]
{
    local mode=$1 path=$2

    shift 2
    rm -f term
    : >source.log
    SOURCE_STATUS=
    env VOLUME_MODE="$mode" MOUNT_POINT="$path" PREALLOCATION=false \
        CLIENT_KEY="$(cat "$CERTS/source.key")" \
        CLIENT_CERT="$(cat "$CERTS/source.crt")" \
        SERVER_CA_CERT="$(cat "$CERTS/ca.crt")" \
        UPLOAD_URL="https://$SERVER_ADDRESS/v1beta1/upload" \
        OWNER_UID=3f1c-42 CLONEWIRE_METRICS_LISTEN=127.0.0.1:0 \
        CLONEWIRE_TERMINATION_LOG="$PWD/term" "${CLONER_ENV[@]}" \
        "${SOURCE_UNDER[@]}" "$CLONER" "$@" >source.out 2>>source.log &
    SOURCE_PID=$!
    at_exit stop_process $SOURCE_PID
}

run_cloner() # MODE PATH [ARGUMENT...]
{
    start_cloner "$@"
    wait_source
}

assert_complete() # [TEXT]
{
    assert_status source 0
    printf '%s' "${1:-Clone Complete}" | cmp - term ||
        fail "termination message: $(cat term)"
}

assert_failed() # REGEX
{
    assert_status source 255
    tail -n 1 source.log | grep -qE -- "$1" ||
        fail "the last line is not: $1"
    [ ! -s term ] || fail "a termination message: $(cat term)"
}

server_fact() # NAME
{
    sed -n "s/^$1=//p" body.facts
}

assert_body() # FILE
{
    wait_process "$SERVER_PID" server || true
    cmp "$1" body || fail "the server received other data"
}

require python3
TOOLS_DIR=$TESTS/tools
