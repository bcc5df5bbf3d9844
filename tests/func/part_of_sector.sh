#!/bin/bash
# A raw disk that ends within a sector arrives padded with zeros, as QEMU shows
# it, by every path. Its digest is that of its qcow2, and both sides report the
# padding.
. "$(dirname "$0")/lib.sh"
. "$TESTS/func/lib_cdi.sh"
. "$TESTS/func/lib_cloner.sh"
require qemu-img gzip xz zstd jq

SIZE=$((5 * MIB + 1003))
WHOLE=$((5 * MIB + 1024))
make_dense image $SIZE
qemu-img convert -f raw -O raw image want
assert_equal "$(disk_bytes want)" $WHOLE "what QEMU makes of it"
qemu-img convert -f raw -O qcow2 image image.qcow2
gzip -k image
xz -k -0 -T2 --block-size=$MIB image
zstd -q -k image

# One disk, one digest.
for disk in want image image.gz image.xz image.qcow2; do
    "$SOURCE" --digest $disk
done | uniq | wc -l >digests
assert_equal "$(cat digests)" 1 "digests of one disk"
"$SOURCE" --map --json image >map.json
assert_equal "$(jq 'map(.length) | add' map.json)" $WHOLE "bytes in the map"

arrives() # FILE
{
    cmp want "$1"
    rm "$1"
}

# Over the network, whatever it is in; told on both sides.
for disk in image image.gz image.xz; do
    clone $disk copy
    arrives copy
    assert_log source 'end inside a sector: padded with 21 zeros'
    assert_log target 'ends inside a sector: padded with 21 zeros'
    for side in source target; do
        assert_log $side "^disk .*\($WHOLE bytes\)"
        assert_log $side '^padding +21 zeros'
    done
done

# Through a pipe, from a file that is standard input, and within the machine.
for disk in image image.gz image.xz; do
    "$SOURCE" - --size $SIZE --to copy -q < <(cat $disk)
    arrives copy
    "$SOURCE" - --to copy -q <$disk
    arrives copy
done
"$SOURCE" image --to copy --verify=readback --log-format=json >summary.json \
    2>source.log
assert_equal "$(jq -r 'select(.event == "summary") | .padding_bytes' \
    summary.json)" 21 "padding in JSON"

# Onto an older copy, also one that an earlier version left unpadded.
put_noise image $((5 * MIB + 1000)) 3 5
qemu-img convert -f raw -O raw image want
for older in $WHOLE $SIZE; do
    truncate -s "$older" copy
    TARGET_WITH=(--delta) SOURCE_WITH=(--delta)
    clone image copy
    cmp want copy
    assert_log source '^not sent again'
done
TARGET_WITH=() SOURCE_WITH=()
rm copy

# Going on after both were killed.
LISTEN=127.0.0.1:$(own_port)
start_target copy --checkpoint-every 1s
start_slow_source 1MiB image
wait_exists .copy.clonewire-state "$SOURCE_PID" || fail "no checkpoint"
stop_process "$SOURCE_PID"
stop_process "$TARGET_PID"
clone image copy
arrives copy
LISTEN=127.0.0.1:0

# What the receipt is of.
SOURCE_WITH=(--receipt receipt.json)
clone image copy
"$TARGET" --check-receipt receipt.json copy
"$SOURCE" --check-receipt receipt.json image.qcow2 && fail "the older disk"
qemu-img convert -f raw -O qcow2 image image.qcow2
"$SOURCE" --check-receipt receipt.json image.qcow2
SOURCE_WITH=()

# Onto a device, whose tail is zeroed.
if [ "$(id -u)" = 0 ] && [ -e /dev/loop-control ]; then
    attach_dirty backing $((6 * MIB))
    clone image "$LOOP"
    assert_same want "$LOOP" $WHOLE
fi

# An upload, in all that it may come in; fewer bytes than a sector are none.
mkdir data
gzip -kf image && xz -kf -0 image && zstd -qkf image
for disk in image image.gz image.xz image.zst; do
    rm -f data/disk.img
    start_server data/disk.img
    upload $disk
    assert_answer 200
    wait_success "Upload Complete"
    cmp want data/disk.img
    assert_log target 'end inside a sector: padded with 21 zeros'
done
rm data/disk.img
head -c 511 image >short
start_server data/disk.img
upload short
assert_answer 500 'unexpected EOF'
# A volume of exactly so many bytes holds it.
stop_process "$TARGET_PID"
server_env UPLOAD_IMAGE_SIZE=$SIZE FILESYSTEM_OVERHEAD=0
start_server data/disk.img
upload image
assert_answer 200
wait_success "Upload Complete"
cmp want data/disk.img
SERVER_ENV=()

# A clone of a volume keeps its file as it is, and of a block volume nothing
# but whole sectors is sent.
mkdir volume
cp image volume/disk.img
rm data/disk.img
server_env CLONEWIRE_TERMINATION_LOG="$PWD/target.term" # not the cloner's
start_server data/disk.img
SERVER_ADDRESS=$TARGET_ADDRESS
run_cloner filesystem "$PWD/volume"
assert_complete
wait_target
assert_status target 0
cmp image data/disk.img
start_http_server --name source
run_cloner block "$PWD/image"
assert_complete
assert_body want
