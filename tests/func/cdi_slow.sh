#!/bin/bash
# A client that stops sending blocks neither other clients, nor the server's
# deadline, nor its end, and the server logs why it ended.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib_cdi.sh"
require openssl

mkdir data
put_noise image 0 $MIB
in_seconds() { date -u -d "+$1 seconds" +%Y-%m-%dT%H:%M:%SZ; }

# Stalled in its body: told so, and the next one may come.
server_env CLONEWIRE_STALL_TIMEOUT=2s
start_server data/disk.img
mkfifo body
upload - <body &
CURL=$!
exec 7>body
head -c 300000 image >&7
wait_log target "the client has stopped sending; waiting for another" ||
    fail "a client that stalls is waited for"
upload image
assert_answer 200
exec 7>&-
wait $CURL || true
wait_success "Upload Complete"
rm data/disk.img

# Stalled at the deadline: it is kept.
server_env CLONEWIRE_STALL_TIMEOUT=1h DEADLINE="$(in_seconds 4)"
start_server data/disk.img
upload - <body &
CURL=$!
exec 7>body
head -c 300000 image >&7
wait_target
exec 7>&-
wait $CURL || true
assert_status target 0
printf '{"deadlinePassed":true,"message":"Deadline Passed"}' | cmp - term
assert_equal "$(find data -type f)" data/.disk.img.clonewire-partial \
    "files left for the next upload"

# Nobody came.
server_env DEADLINE="$(in_seconds 3)"
start_server data/disk.img
wait_target
assert_status target 0
printf '{"deadlinePassed":true,"message":"Deadline Passed"}' | cmp - term

# Told to stop, with a client that says nothing.
server_env DEADLINE=
start_server data/disk.img
openssl s_client -quiet -connect "$TARGET_ADDRESS" </dev/zero \
    >/dev/null 2>&1 &
at_exit stop_process $!
upload - <body &
CURL=$!
exec 7>body
head -c 300000 image >&7
wait_log target '/v1beta1/upload of' || fail "no upload has begun"
kill -TERM $TARGET_PID
wait_target
exec 7>&-
assert_status target 143
[ ! -e term ] || fail "a termination message: $(cat term)"
assert_equal "$(find data -type f)" data/.disk.img.clonewire-partial \
    "files left for the next upload"

# Mistakes in the environment.
status_of() # NAME=VALUE...
{
    local status=0

    env CLIENT_NAME=source LISTEN_ADDRESS=127.0.0.1 LISTEN_PORT=0 \
        TLS_KEY_FILE="$CERTS/target.key" TLS_CERT_FILE="$CERTS/target.crt" \
        CLIENT_CERT_FILE="$CERTS/ca.crt" DESTINATION=data/disk.img "$@" \
        "$UPLOADSERVER" -v=1 >target.out 2>target.log || status=$?
    echo $status
}
assert_equal "$(status_of DEADLINE=tomorrow)" 255 "bad deadline"
assert_log target 'Failed to parse deadline: "tomorrow"'
assert_equal "$(status_of TLS_KEY_FILE=)" 1 "no key"
assert_log target 'UploadServer failed: invalid TLS config'
assert_equal "$(status_of CLIENT_NAME=)" 1 "no client name"
assert_log target 'UploadServer failed: CLIENT_NAME is not set: every client'
assert_equal "$(status_of TLS_CERT_FILE=/nowhere)" 1 "no certificate"
