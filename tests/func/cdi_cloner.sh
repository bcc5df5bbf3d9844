#!/bin/bash
# cdi-cloner sends what CDI's cloner sends, a disk as snappy frames in chunks,
# to a server that shares no code with it. The texts that CDI's controller
# parses are exact.
. "$(dirname "$0")/lib.sh"
. "$TESTS/func/lib_cloner.sh"

make_dense disk 2000000
make_empty tail 3000000
cat tail >>disk
put_noise disk 4100000 70000 3
put_noise disk 4999000 1000 4
truncate -s %512 disk

start_http_server --name source
run_cloner block "$PWD/disk" -v=3 -alsologtostderr
assert_complete
assert_body disk
assert_log source 'by http/1.1'
[ "$(server_fact zero_blocks)" -ge 40 ] || fail "zeros were not found: $(cat body.facts)"
# 1 MB at most for 2 MB of noise and 3 MB of zeros would be magic; packed
# zeros take a twentieth.
[ "$(server_fact wire_bytes)" -le 2300000 ] || fail "$(server_fact wire_bytes) bytes sent"
diff body.head - <<END || fail "another head"
POST /v1beta1/upload HTTP/1.1
Host: $SERVER_ADDRESS
User-Agent: clonewire/$("$CLONER" --version | cut -d ' ' -f 3)
Transfer-Encoding: chunked
x-cdi-content-type: blockdevice-clone
x-clonewire-disk-bytes: 5000192
END

# As its start-up script calls it, preallocated; text that can be packed; no
# ALPN at the other end.
head -c 3000000 < <(yes 'some text that repeats') >text
truncate -s %512 text
cloner_env PREALLOCATION=true
start_http_server --alpn ''
run_cloner block /nowhere -v=3 -alsologtostderr -content-type \
    blockdevice-clone -upload-bytes 3000000 -mount "$PWD/text"
assert_complete 'Clone Complete, Preallocation applied'
assert_body text
[ "$(server_fact packed)" -gt 0 ] || fail "nothing was packed"

# Nothing at all of PREALLOCATION kills CDI's.
cloner_env PREALLOCATION=
start_http_server
run_cloner block "$PWD/text"
assert_complete
assert_body text

# ---- what is wrong is said, in the last line ----

mistake() # STATUS REGEX VARIABLE=VALUE...
{
    local status=$1 regex=$2

    shift 2
    CLONER_ENV+=("$@")
    run_cloner block "$PWD/text"
    CLONER_ENV=()
    assert_status source "$status"
    assert_log source "$regex"
    [ ! -e term ] || fail "a termination message: $(cat term)"
}
mistake 1 'VOLUME_MODE missing' VOLUME_MODE=
mistake 1 'MOUNT_POINT missing' MOUNT_POINT=
for name in OWNER_UID CLIENT_KEY CLIENT_CERT SERVER_CA_CERT UPLOAD_URL; do
    mistake 255 "Error getting env var $name\$" $name=
done
mistake 255 'Invalid mount "/none"' MOUNT_POINT=/none
mistake 255 'does not begin with https://' UPLOAD_URL=http://x/
mistake 255 'certificate' CLIENT_CERT=nonsense
run_cloner block "$PWD/text" -content-type raw
assert_failed 'Invalid content-type "raw"'
