#!/bin/bash
# --to has the same guards as a clone: a source that is being written, a
# destination that is in use, and a source that changes while it is read.
. "$(dirname "$0")/../func/lib.sh"
require python3

SIZE=$((64 * MIB))

copy_to() # IMAGE DEST [OPTION...]: SOURCE_STATUS
{
    SOURCE_STATUS=0
    timeout 60 "$SOURCE" "${@:3}" "$1" --to "$2" >source.out 2>source.log \
        </dev/null || SOURCE_STATUS=$?
}

hold() # DISK PERMISSION
{
    start_helper guest python3 "$TESTS/tools/guest.py" "$1" "$2"
    HOLDER=$HELPER_PID
}

make_dense image $SIZE
hold image write
copy_to image copy
assert_status source 12
assert_log source 'image is in use: a running machine'
[ ! -e copy ] || fail "there is a copy"
copy_to image copy --allow-in-use
assert_status source 0
assert_same image copy $SIZE
stop_process "$HOLDER"

# Who only reads an image does not mind another who does.
hold image read
rm copy
copy_to image copy
assert_status source 0
stop_process "$HOLDER"

# Where a machine runs from.
for permission in read write; do
    hold copy $permission
    copy_to image copy --overwrite
    assert_status source 11
    assert_log source 'copy is in use: a running machine'
    refuse_target 11 'copy is in use: a running machine' copy --overwrite
    refuse_target 11 'copy is in use: a running machine' copy --delta
    stop_process "$HOLDER"
done
copy_to image copy --overwrite
assert_status source 0
rm copy

[ "$(id -u)" = 0 ] || exit 0
attach image
device=$LOOP
hold "$device" write
copy_to "$device" copy
assert_status source 12
refuse_target 11 'is in use: a running machine' "$device"
stop_process "$HOLDER"
mkfs.ext4 -q -F "$device" || skip "no mkfs.ext4"
mount_at mnt "$device"
copy_to "$device" copy
assert_status source 12
assert_log source 'is in use: mounted'
make_dense other 4096
copy_to other "$device" --yes
assert_status source 11
assert_log source 'mounted on'

# Written to while it is read: a slow disk gives us the time.
make_dense changing $SIZE
make_empty backing $SIZE
faulty_up backing slow 40M
attach "$FAULTY_DISK" --direct-io=on
"$SOURCE" --yes changing --to "$LOOP" --io-mode direct >source.out 2>source.log &
SOURCE_PID=$!
at_exit stop_process $SOURCE_PID
wait_log source copying || fail "it never copied"
put_noise changing $((3 * MIB)) 4096 5
faulty_rate fast
wait_source
assert_status source 12
assert_log source 'was written to while it was read'
