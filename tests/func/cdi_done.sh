#!/bin/bash
# The disk is there: who comes now is told so, until the first one has heard.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib_cdi.sh"
require python3

mkdir data
put_noise image 0 65536
start_server data/disk.img

# A client that does not hang up, until it may.
cat >client.py <<'PY'
import os, socket, ssl, sys, time
host, port = sys.argv[1].rsplit(":", 1)
certs = sys.argv[2]
context = ssl.create_default_context(cafile=certs + "/ca.crt")
context.load_cert_chain(certs + "/source.crt", certs + "/source.key")
with socket.create_connection((host, int(port)), 60) as plain:
    with context.wrap_socket(plain, server_hostname="localhost") as client:
        body = open("image", "rb").read()
        client.sendall(b"POST /v1beta1/upload HTTP/1.1\r\nHost: a\r\n"
                       b"Content-Length: %d\r\n\r\n" % len(body) + body)
        while not os.path.exists("go"):
            time.sleep(0.02)
        print(client.recv(1000).split(b"\r\n")[0].decode())
PY
python3 client.py "$TARGET_ADDRESS" "$CERTS" >response 2>client.log &
CLIENT=$!
at_exit stop_process $CLIENT
for ((i = 0; i < 1000; i++)); do [ ! -e data/disk.img ] || break; sleep 0.02; done
# The disk has its name before the server has counted it as complete.
for ((i = 0; i < 1000; i++)); do
    upload image
    [ "$STATUS" = 503 ] || break
    sleep 0.02
done
: >go
assert_answer 409
[ ! -s answer ] || fail "409 with a body"
assert_log target "the disk is complete already: 409"
wait_success "Upload Complete"
wait_process $CLIENT client
grep -q "HTTP/1.1 200 OK" response || fail "the first was not answered"
