#!/bin/bash
# After an upload is complete, another client gets 409, until the first has its
# answer.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib_cdi.sh"

mkdir data
put_noise image 0 65536
start_server data/disk.img
start_held_upload image go
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
