#!/bin/bash
# Finished is finished: SIGTERM that comes when the disk is durable and has its
# name, while the client still holds its connection, ends the server with 0 and
# the termination message, and the client has its answer.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib_cdi.sh"
require python3

mkdir data
put_noise image 0 65536

# Takes its answer, and does not hang up.
cat >client.py <<'PY'
import socket, ssl, sys, time
host, port = sys.argv[1].rsplit(":", 1)
certs = sys.argv[2]
context = ssl.create_default_context(cafile=certs + "/ca.crt")
context.load_cert_chain(certs + "/source.crt", certs + "/source.key")
with socket.create_connection((host, int(port)), 60) as plain:
    with context.wrap_socket(plain, server_hostname="localhost") as client:
        body = open("image", "rb").read()
        client.sendall(b"POST /v1beta1/upload HTTP/1.1\r\nHost: a\r\n"
                       b"Content-Length: %d\r\n\r\n" % len(body) + body)
        print(client.recv(1000).split(b"\r\n")[0].decode(), flush=True)
        time.sleep(600)
PY
start_server data/disk.img
python3 client.py "$TARGET_ADDRESS" "$CERTS" >response 2>client.log &
CLIENT=$!
at_exit stop_process $CLIENT
for ((i = 0; i < 3000; i++)); do [ ! -s response ] || break; sleep 0.02; done
grep -q "HTTP/1.1 200 OK" response || fail "no answer: $(cat response client.log)"
kill -TERM "$TARGET_PID"
wait_success "Upload Complete"
cmp image data/disk.img
