#!/bin/bash
# A source is guarded against writers however it is read: as standard input, as
# a backing file, for --digest, and through another device.
. "$(dirname "$0")/../func/lib.sh"
require python3

SIZE=$((16 * MIB))

try() # STATUS REGEX COMMAND...
{
    local status=0

    timeout 60 "${@:3}" >source.out 2>source.log || status=$?
    assert_equal $status "$1" "status of ${*:4}"
    [ -z "$2" ] || assert_log source "$2"
}

hold() # DISK PERMISSION
{
    start_helper guest python3 "$TESTS/tools/guest.py" "$1" "$2"
    HOLDER=$HELPER_PID
}

make_dense image $SIZE
hold image write
try 12 'is in use: a running machine' "$SOURCE" - --to copy <image
try 12 'is in use: a running machine' "$SOURCE" --digest image
try 0 '' "$SOURCE" --digest image --allow-in-use
try 0 '' "$SOURCE" --inspect image
if command -v qemu-img >/dev/null; then
    qemu-img create -q -f qcow2 -b image -F raw overlay
    try 12 'image is in use: a running machine' \
        "$SOURCE" overlay --allow-backing=. --to copy
fi
stop_process "$HOLDER"

# The destination is what the source is read from.
try 11 'same disk' "$SOURCE" - --to image --overwrite <image
try 11 'same disk' "$SOURCE" image --to image --overwrite
ln image link
try 11 'same disk' "$SOURCE" image --to link --overwrite
if [ -e overlay ]; then
    try 0 '' "$SOURCE" overlay --allow-backing=. --to copy
    assert_same image copy $SIZE
    try 11 'same disk' \
        "$SOURCE" overlay --allow-backing=. --to image --overwrite
fi

[ "$(id -u)" = 0 ] || exit 0
require_loop
sum=$(sha256sum <image)
attach image
device=$LOOP
try 11 'one lies on the other' "$SOURCE" image --to "$device" --yes
try 11 'one lies on the other' "$SOURCE" "$device" --to image --overwrite
attach image
try 11 'one lies on the other' "$SOURCE" "$device" --to "$LOOP" --yes
assert_equal "$(sha256sum <image)" "$sum" "the image"

# Two readers of one device, the first still at it.
noise $SIZE 3 >other
attach other
shared=$LOOP
start_target copy2
start_slow_source 2MiB "$shared"
wait_log source copying || fail "it did not begin"
timeout 60 "$SOURCE" "$shared" --to copy3 -q || fail "the second: $?"
assert_same other copy3 $SIZE
# A target of the same machine keeps off what is read.
try 11 'another program reads it' \
    "$SOURCE" image --to "$shared" --yes --overwrite
lift_rate
both_succeed
assert_same other copy2 $SIZE

# An image that a loop device shows, which is mounted.
mkfs.ext4 -q -F "$device" || skip "no mkfs.ext4"
mount_at mnt "$device"
rm -f copy
try 12 'image is in use: loop device .* over it is mounted on' \
    "$SOURCE" image --to copy
try 12 'is in use: mounted on' "$SOURCE" - --to copy <"$device"
try 12 'is in use: ' "$SOURCE" "$device" --digest
refuse_target 11 'image is in use: loop device .* over it is mounted' \
    image --overwrite
# Nor is another device over the same file a place to write to.
attach image
refuse_target 11 'another loop device over its file is mounted' "$LOOP"
unmount mnt
try 0 '' "$SOURCE" image --to copy
assert_same image copy $SIZE
