#!/bin/bash
# What CDI's server takes from its clients, beside its own requests: paths with
# escapes, "//" and "/./", and headers of 60 KiB; a LISTEN_PORT that is not a
# number is its default, with a warning; an archive may have absolute names.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib_cdi.sh"

make_dense image $((2 * MIB))
mkdir data

takes() # [OPTION…] PATH
{
    start_server data/disk.img
    upload image "$@"
    assert_answer 200
    wait_success "Upload Complete"
    cmp image data/disk.img
    rm data/disk.img
}
takes --path-as-is /v1beta1//upload
takes --path-as-is /v1beta1/./upload
takes --path-as-is /v1beta1/uplo%61d%2Dasync
printf 'X-Long: %060000d\n' 0 >headers
takes -H @headers /v1beta1/upload

start_server data/disk.img
for path in /v1beta1/uplo%6 /v1beta1/upload%00 /v1beta1/x/../upload; do
    upload image --path-as-is $path
    assert_answer 404
done
printf 'X-Long: %070000d\n' 0 >headers
curl_as source -H @headers /healthz
assert_answer 431
stop_process "$TARGET_PID" || true

mkdir tree
echo content >tree/file
ln tree/file tree/link
tar -cPf archive "$PWD/tree"
start_server data/disk.img
upload archive /v1beta1/upload-archive
assert_answer 200
wait_success "Upload Complete"
cmp tree/file "data/$PWD/tree/file"
assert_equal "$(stat -c %h "data/$PWD/tree/link")" 2 "hard links"
assert_log target 'unpacked below .*, as all absolute names'
assert_equal "$(grep -c 'absolute names' target.log)" 1 "lines in the log"

# A directory has the disk's name: the files go beside it, as ever; another
# directory takes them itself.
rm -rf data/*
mkdir data/disk.img into
tar -C tree -cf archive .
start_server data/disk.img
upload archive /v1beta1/upload-archive
assert_answer 200
wait_success "Upload Complete"
cmp tree/file data/file
start_target into --http --overwrite
upload archive /v1beta1/upload-archive
assert_answer 200
wait_target
assert_status target 0
cmp tree/file into/file

# Its port is taken, or not: the log tells that it is 8443.
env TLS_KEY_FILE="$CERTS/target.key" TLS_CERT_FILE="$CERTS/target.crt" \
    CLIENT_CERT_FILE="$CERTS/ca.crt" CLIENT_NAME=source LISTEN_PORT=https \
    LISTEN_ADDRESS=192.0.2.1 DESTINATION=data/disk.img \
    CLONEWIRE_TERMINATION_LOG="$PWD/term" "$UPLOADSERVER" >port.out 2>&1 || :
grep -q 'LISTEN_PORT: cannot read "https": taken as the default, 8443' port.out ||
    fail "no warning: $(cat port.out)"
grep -q '192\.0\.2\.1:8443' port.out || fail "another port: $(cat port.out)"
