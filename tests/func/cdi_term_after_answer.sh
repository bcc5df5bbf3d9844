#!/bin/bash
# SIGTERM after the disk is durable and renamed, while the client keeps its
# connection: the server exits 0 with its termination message, and the client
# has its answer.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib_cdi.sh"

mkdir data
put_noise image 0 65536
start_server data/disk.img
start_held_upload image
for ((i = 0; i < 3000; i++)); do [ ! -s response ] || break; sleep 0.02; done
grep -q "HTTP/1.1 200 OK" response || fail "no answer: $(cat response client.log)"
kill -TERM "$TARGET_PID"
wait_success "Upload Complete"
cmp image data/disk.img
