#!/bin/bash
# The router of the HTTP server: allowed paths, methods and certificates, one
# upload at a time, and the answers to all other requests.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib_cdi.sh"

# The client hears of it a moment before the log does.
will_say() # REGEX
{
    wait_log target "$1" || fail "target did not say: $1"
}
require openssl python3

server_env "TLS_CIPHERS=TLS_AES_128_GCM_SHA256,ECDHE-ECDSA-AES128-GCM-SHA256,NO-SUCH-CIPHER"
server_env TLS_MIN_VERSION=VersionTLS12
mkdir data
put_noise image 0 $MIB
start_server data/disk.img

# /healthz answers every client, by any method.
for method in GET POST PUT; do
    curl_as "" -X $method /healthz
    assert_answer 200 OK
    assert_equal "$(stat -c %s answer)" 2 "bytes of OK"
done
curl_as "" -I /healthz
assert_answer 200
curl_as "" --no-alpn /healthz
assert_answer 200 OK

# Paths and methods.
curl_as source /nowhere
assert_answer 404 "404 page not found"
curl_as source -X POST -d x /v1beta1/uploads
assert_answer 404
for method in GET PUT DELETE; do
    curl_as source -X $method /v1beta1/upload
    assert_answer 404
    [ ! -s answer ] || fail "404 with a body"
done
curl_as source -I /v1beta1/upload
assert_answer 404
for path in /v1{beta,alpha}1/upload{,-form}-async; do
    curl_as "" -I $path
    assert_answer 200
done

# Certificates: the log says what is wrong with them.  From another address, as
# each has a share of the log.
OTHER=(--interface 127.0.0.2)
curl_as "" "${OTHER[@]}" -X POST -d x /v1beta1/upload
assert_answer 401
[ ! -s answer ] || fail "401 with a body"
will_say "the source sent no certificate: 401"
curl_as source-imposter "${OTHER[@]}" -X POST -d x /v1beta1/upload
assert_answer 401
will_say "wanted source, certificate has .*CN=imposter: 401"
curl_as source-stranger "${OTHER[@]}" -X POST -d x /v1beta1/upload
assert_answer 000
will_say "refused a connection.*(not signed|issuer|unknown|trust)"
curl_as source-expired "${OTHER[@]}" -X POST -d x /v1beta1/upload
assert_answer 000
will_say "refused a connection.*expired"

# HTTP/2 is not offered, nor TLS 1.1.
curl_as "" --http2 -w '%{http_version} %{http_code}' /healthz
assert_equal "$STATUS" "1.1 200" "version"
! openssl s_client -connect "$TARGET_ADDRESS" -alpn h2 </dev/null >h2.log 2>&1 ||
    fail "h2 was agreed on"
curl_as "" --tls-max 1.1 /healthz
assert_answer 000
curl_as "" --tls-max 1.2 /healthz
assert_answer 200

# What is no request, or too long a one.
curl_as "" -H "X-Long: $(printf '%70000s' '' | tr ' ' x)" /healthz
assert_answer 431
send_raw() # TEXT: the first line of the answer, as the source
{
    printf '%b' "$1" | timeout $LONGEST openssl s_client -quiet -ign_eof \
        -connect "$TARGET_ADDRESS" -cert "$CERTS/source.crt" \
        -key "$CERTS/source.key" 2>/dev/null | head -n 1 | tr -d '\r'
}
assert_equal "$(send_raw 'nonsense\r\n\r\n')" "HTTP/1.1 400 Bad Request" nonsense
POST='POST /v1beta1/upload HTTP/1.1\r\nHost: a\r\n'
assert_equal "$(send_raw "${POST}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n")" \
    "HTTP/1.1 400 Bad Request" "two lengths"
assert_equal "$(send_raw "${POST}Transfer-Encoding: gzip\r\n\r\n")" \
    "HTTP/1.1 501 Not Implemented" "another coding"
assert_equal "$(send_raw "${POST}Content-Length: 3\r\n\r\nabcGET / HTTP/1.1\r\n\r\n")" \
    "HTTP/1.1 500 Internal Server Error" "bytes behind the body"
assert_equal "$(send_raw "${POST}Transfer-Encoding: chunked\r\n\r\n5\r\nhelloXX")" \
    "HTTP/1.1 500 Internal Server Error" "a chunk without an end"
[ -z "$(find data -name disk.img)" ] || fail "one of them became a disk"

# One at a time; the next is welcome when it has failed.
mkfifo body
(upload - <body; echo "$STATUS" >first) &
first=$!
exec 7>body
head -c 100000 image >&7
until tail -n 1 target.log | grep -q '/v1beta1/upload of'; do
    is_running $first || fail "no upload has begun"
    sleep 0.02
done
upload image
assert_answer 503
[ ! -s answer ] || fail "503 with a body"
curl_as "" /healthz
assert_answer 200 OK
head -c 900000 image | tail -c +100001 >&7
exec 7>&-
wait_process $first "the first upload"
assert_equal "$(cat first)" 200 "the first upload"
wait_success "Upload Complete"

# A client that asks first is told to go on.
rm data/disk.img
start_server data/disk.img
curl_as source -X POST -T image -H "Expect: 100-continue" -v /v1beta1/upload
assert_answer 200
grep -q "HTTP/1.1 100 Continue" curl.log || fail "no 100: $(cat curl.log)"
wait_success "Upload Complete"
