#!/bin/bash
# With --http clonewire-target accepts uploads over HTTP on its port, with the
# promises of its options; without it, it does not.
. "$(dirname "$0")/lib.sh"
. "$TESTS/func/lib_cdi.sh"
. "$TESTS/func/lib_cloner.sh"
require qemu-img

mkdir data
put_noise image 0 $MIB
truncate -s 3M image
qemu-img convert -O qcow2 image image.qcow2

start_target data/disk.img
upload image
assert_answer 000
wait_log target 'refused a connection.*does not speak clonewire/1' ||
    fail "who asks for HTTP is not refused"
stop_process "$TARGET_PID"
status=0
"$TARGET" --http data/disk.img 2>misused.log || status=$?
assert_equal $status 2 "status of --http without certificates"
grep -q -- '--http (CLONEWIRE_HTTP) needs --cert' misused.log ||
    fail "$(cat misused.log)"

# An upload: as large as --size says, read back, with a receipt; who it is
# from is asked as of a source of our own.
TARGET_WITH=(--http --peer-name source)
start_target data/disk.img --size 8MiB --verify readback --receipt receipt
curl_as source-imposter -X POST -T image -H Expect: "$UPLOAD"
assert_answer 401
curl_as "" /healthz
assert_answer 200 OK
upload image.qcow2
assert_answer 200
wait_target
assert_status target 0
assert_equal "$(disk_bytes data/disk.img)" $((8 * MIB)) "--size"
cmp -n $((3 * MIB)) image data/disk.img
cmp -i $((3 * MIB)):0 -n $((5 * MIB)) data/disk.img /dev/zero
"$SOURCE" --check-receipt receipt image >answer ||
    fail "the receipt is of another disk: $(cat answer)"
grep -q "$("$SOURCE" --digest image)" target.out ||
    fail "another digest: $(cat target.out)"

# What is there is not replaced, nor are files beside it, unless it may be.
refuse_target 11 'exists' data/disk.img
rm data/disk.img
echo mine >data/file
mkdir tree
echo theirs >tree/file
CLONE=(-H "x-cdi-content-type: filesystem-clone")
tar -C tree -c . | "$TESTS/tools/snapframe.py" >tree.snappy
start_target data/disk.img
upload - "${CLONE[@]}" <tree.snappy
assert_answer 500 '--overwrite allows'
assert_equal "$(cat data/file)" mine "a file that was there"
stop_process "$TARGET_PID"
start_target data/disk.img --overwrite
upload - "${CLONE[@]}" <tree.snappy
assert_answer 200
wait_target
assert_status target 0
assert_equal "$(cat data/file)" theirs "a file that may be replaced"

# The other protocol, on the same port: by our source, and by cdi-cloner.
start_target data/disk.img
run_source image
assert_status source 0
wait_target
assert_status target 0
cmp image data/disk.img
rm data/disk.img
# That one asks first what is spoken: not the clone that --once is for.
start_target data/disk.img --once
SERVER_ADDRESS=$TARGET_ADDRESS
run_cloner block "$PWD/image"
assert_complete
assert_log source 'by clonewire/1'
wait_target
assert_status target 0
refute_log target 'refused a connection'
cmp image data/disk.img
