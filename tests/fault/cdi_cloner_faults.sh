#!/bin/bash
# cdi-cloner succeeds where CDI's cloner dies: with a target that is not up
# yet, is busy, or is lost in mid-stream. Where it must fail, the log has the
# reason.
. "$(dirname "$0")/../func/lib.sh"
. "$TESTS/func/lib_cloner.sh"

make_dense disk $((2 * MIB))

# Not up yet.
SERVER_ADDRESS=127.0.0.1:$(own_port)
start_cloner block "$PWD/disk"
wait_log source 'trying again' || fail "it did not wait"
start_http_server --port "${SERVER_ADDRESS##*:}"
wait_source
assert_complete
assert_body disk

# Busy, then lost in the middle, twice.
start_http_server --busy 1 --drop 2
run_cloner block "$PWD/disk"
assert_complete
assert_body disk
assert_log source 'status code 503'
assert_equal "$(server_fact requests)" 4 requests

# All was heard, and the answer lost: the next one is "you have it already".
start_http_server --hang
run_cloner block "$PWD/disk"
assert_complete
assert_log source 'has taken an earlier attempt'

# Refused: by name, early, late.
start_http_server --name another-client
run_cloner block "$PWD/disk"
assert_failed 'status code 401.*our certificate is .*source.*issued by'
start_http_server --early --status 400
run_cloner block "$PWD/disk"
assert_failed 'status code 400: Saving stream failed: no room$'
start_http_server --status 500
run_cloner block "$PWD/disk"
assert_failed 'status code 500: Saving stream failed: no room$'
# Half a disk is no disk, whatever the target says to it: more than the network
# swallows.
make_dense large $((64 * MIB))
start_http_server --early --status 409
run_cloner block "$PWD/large"
assert_failed 'status code 409'
start_http_server --early
run_cloner block "$PWD/large"
assert_status source 255

# Another CA at the other end; a name that its certificate does not have.
start_http_server
cloner_env SERVER_CA_CERT="$(cat "$CERTS/other-ca.crt" 2>/dev/null ||
    cat "$CERTS/source.crt")"
run_cloner block "$PWD/disk"
assert_status source 255
assert_log source 'certificate'
CLONER_ENV=()

# Nothing but a hole, lost on the way.
make_empty hole $((64 * MIB))
start_http_server --drop 1
run_cloner block "$PWD/hole"
assert_complete
assert_body hole

# A disk that is written to while it is read must not look whole: the body
# has no end then.
make_dense busy $((24 * MIB))
start_http_server
start_cloner block "$PWD/busy"
wait_log source 'connected to' || fail "it did not connect"
put_noise busy 0 4096 9
wait_source
if [ "$SOURCE_STATUS" = 0 ]; then
    cmp -i 4096 busy body # so quick that all was read before
else
    assert_failed 'changed|written'
fi

# Told to stop while no target answers.
SERVER_ADDRESS=127.0.0.1:1
start_cloner block "$PWD/disk"
wait_log source 'trying again' || fail "it did not wait"
kill "$SOURCE_PID"
wait_source
assert_status source 143
