# shellcheck shell=bash disable=SC2034
# lib_cdi.sh - cdi-uploadserver with curl as its client: after lib.sh, ". …".
#
#   server_env NAME=VALUE…          for the servers started from here on
#   start_server DEST               up and listening: TARGET_ADDRESS
#   launch_server DEST              the same, without waiting for it to listen
#   curl_as NAME [OPTION…] PATH     with NAME's certificate ("": none):
#                                   STATUS, and the body in ./answer
#   upload FILE [OPTION…] [PATH]    as the source, POST: STATUS, ./answer
#   start_held_upload FILE [GO]     keeps its connection: CLIENT; the status line
#                                   in ./response, with GO once that file exists
#   assert_answer STATUS TEXT       of the last of them
#   wait_success MESSAGE [PREALLOCATED]   the server exits 0 with that message
require curl

UPLOADSERVER=$CW_BUILD/cmd/cdi-uploadserver
UPLOAD=/v1beta1/upload
SERVER_ENV=()

server_env() # NAME=VALUE...
{
    SERVER_ENV+=("$@")
}

launch_server() # DEST [ARGUMENT...]
{
    local dest=$1

    shift
    : >target.log
    rm -f term
    TARGET_STATUS=
    env TLS_KEY_FILE="$CERTS/target.key" TLS_CERT_FILE="$CERTS/target.crt" \
        CLIENT_CERT_FILE="$CERTS/ca.crt" CLIENT_NAME=source \
        LISTEN_ADDRESS=127.0.0.1 LISTEN_PORT=0 DESTINATION="$dest" \
        CLONEWIRE_TERMINATION_LOG="$PWD/term" "${SERVER_ENV[@]}" \
        "${TARGET_UNDER[@]}" "$UPLOADSERVER" -alsologtostderr -v=3 "$@" \
        >target.out 2>>target.log &
    TARGET_PID=$!
    at_exit stop_process $TARGET_PID
}

start_server() # DEST [ARGUMENT...]
{
    launch_server "$@"
    wait_listening
}

curl_as() # NAME [CURL OPTION...] PATH
{
    local name=$1 identity=()

    [ -z "$name" ] ||
        identity=(--cert "$CERTS/$name.crt" --key "$CERTS/$name.key")
    shift
    : >answer
    STATUS=$(curl -sS --http1.1 --cacert "$CERTS/ca.crt" "${identity[@]}" \
        --max-time $LONGEST -o answer -w '%{http_code}' "${@:1:$#-1}" \
        "https://$TARGET_ADDRESS${*: -1}" 2>curl.log) || CURL_FAILED=$?
}

upload() # FILE [CURL OPTION...] [PATH]: "-" is standard input, chunked
{
    local file=$1 path=$UPLOAD options=()

    shift
    [[ ${*: -1} != /v1* ]] || { path=${*: -1}; set -- "${@:1:$#-1}"; }
    options=(-H Content-Type: -H "Expect:" "$@")
    curl_as source -X POST -T "$file" "${options[@]}" "$path"
}

start_held_upload() # FILE [GO]
{
    require python3
    python3 "$TESTS/tools/held_upload.py" "$TARGET_ADDRESS" "$CERTS" "$@" \
        >response 2>client.log &
    CLIENT=$!
    at_exit stop_process $CLIENT
}

assert_answer() # STATUS [TEXT]
{
    [ "$STATUS" = "$1" ] ||
        fail "answered $STATUS, not $1: $(cat answer curl.log)"
    [ $# = 1 ] || grep -qF -- "$2" answer ||
        fail "answered $STATUS \"$(cat answer)\", not: $2"
}

wait_success() # MESSAGE [true|false]
{
    wait_target
    assert_status target 0
    printf '{"preallocationApplied":%s,"message":"%s"}' "${2:-false}" "$1" |
        cmp - term || fail "termination message: $(cat term)"
    assert_equal "$(stat -c %a term)" 600 "mode of the termination log"
}
