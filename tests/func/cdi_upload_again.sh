#!/bin/bash
# After a killed or stopped server an upload starts again from the beginning,
# and data that is on the disk already is not written again. Another image
# replaces all of it.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib_cdi.sh"
require_loop
require mkfs.ext4

make_dense image $((56 * MIB))
make_empty backing $((96 * MIB))
attach backing
disk=$LOOP
mkfs.ext4 -q -m 0 "$disk"
mount_at data "$disk"
make_empty device_backing $((64 * MIB))
attach device_backing
device=$LOOP
mkfifo pipe

written_bytes() # DEVICE
{
    sync
    echo $(($(awk '{ print $7 }' "/sys/block/${1##*/}/stat") * 512))
}

leave() # SIGNAL DEST DEVICE: 48 MiB of the image are on it at least
{
    local deadline=$((SECONDS + LONGEST)) client before

    before=$(written_bytes "$3")
    start_server "$2"
    { head -c $((50 * MIB)) image; exec sleep 600; } >pipe &
    client=$!
    at_exit stop_process $client
    upload - <pipe &
    at_exit stop_process $!
    until [ $(($(written_bytes "$3") - before)) -ge $((48 * MIB)) ]; do
        is_running "$TARGET_PID" || fail "the server has ended"
        [ $SECONDS -le $deadline ] || fail "it does not get on"
        sleep 0.05
    done
    kill "-$1" "$TARGET_PID"
    wait_target
    stop_process $client
}

again() # IMAGE DEST
{
    start_server "$2"
    upload "$1"
    assert_answer 200
    wait_success "Upload Complete"
    cmp -n "$(disk_bytes "$1")" "$1" "$2" || fail "another disk"
}

for signal in KILL TERM; do
    dd if=/dev/zero of="$device" bs=1M count=64 conv=fsync status=none
    for what in "data/disk.img $disk" "$device $device"; do
        # shellcheck disable=SC2086 # two words
        leave $signal $what
        before=$(written_bytes "${what#* }")
        again image "${what% *}"
        after=$(written_bytes "${what#* }")
        [ $((after - before)) -lt $((20 * MIB)) ] ||
            fail "$what: $((after - before)) bytes were written again"
        rm -f data/disk.img
    done
done

# Another disk, shorter, with holes, made to fill what is asked for.
make_sparse other $((24 * MIB))
leave KILL data/disk.img "$disk"
again other data/disk.img
assert_equal "$(disk_bytes data/disk.img)" $((24 * MIB)) "size"
rm data/disk.img
leave KILL data/disk.img "$disk"
server_env UPLOAD_IMAGE_SIZE=40Mi
again other data/disk.img
[ "$(disk_bytes data/disk.img)" -gt $((30 * MIB)) ] || fail "it did not grow"
tail -c +$((24 * MIB + 1)) data/disk.img | tr -d '\0' | cmp - /dev/null ||
    fail "the tail is not zero"
