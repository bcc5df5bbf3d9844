#!/bin/bash
# A raw image to every upload path of CDI's server: status 200 without a body,
# an equal and durable disk, its mode, and the exact termination message.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib_cdi.sh"

head -c 3000000 /dev/urandom >image
truncate -s 5M image
mkdir data
for path in /v1{beta,alpha}1/upload{,-async}; do
    rm -f data/*
    start_server data/disk.img
    upload image "$path"
    assert_answer 200
    [ ! -s answer ] || fail "200 with a body: $(cat answer)"
    wait_success "Upload Complete"
    assert_same image data/disk.img "$(stat -c %s image)"
    assert_equal "$(stat -c %a data/disk.img)" 660 "mode"
    assert_equal "$(ls -A data)" disk.img "files"
done

# Chunked: the size shows only at its end.
start_server data/disk.img
upload - <image
assert_answer 200
wait_success "Upload Complete"
assert_same image data/disk.img "$(stat -c %s image)"
assert_allocation image data/disk.img
