#!/bin/bash
# The disk or files that a killed server left do not disturb the next clone, of
# either kind and protocol: they are removed or used before the free space is
# computed.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib_cdi.sh"
require_loop
require mkfs.ext4

truncate -s 96M volume
mkfs.ext4 -q -m 0 volume
mount_at data volume -o loop
make_dense image $((56 * MIB))
mkdir tree
cp image tree/big
tar -C tree -cf tree.tar .

used_bytes()
{
    df --output=used -B1 data | tail -n 1
}

# All but the end of a body comes, then nothing: the server is killed.
leave() # BODY PATH
{
    local deadline=$((SECONDS + LONGEST)) client

    find data -mindepth 1 ! -name lost+found -delete
    start_server data/disk.img
    { head -c $((48 * MIB)) "$1"; exec sleep 600; } >pipe &
    client=$!
    at_exit stop_process $client
    upload - "$2" <pipe &
    at_exit stop_process $!
    until [ "$(used_bytes)" -ge $((40 * MIB)) ]; do
        is_running "$TARGET_PID" || fail "the server has ended"
        [ $SECONDS -le $deadline ] || fail "it does not get on"
        sleep 0.05
    done
    kill -KILL "$TARGET_PID"
    stop_process "$TARGET_PID"
    stop_process $client
    [ "$(used_bytes)" -ge $((40 * MIB)) ] || fail "nothing was left"
}

finish() # BODY PATH
{
    start_server data/disk.img
    upload "$1" "$2"
    assert_answer 200
    wait_success "Upload Complete"
}

mkfifo pipe
for first in "image $UPLOAD" "tree.tar $UPLOAD-archive"; do
    # shellcheck disable=SC2086 # two words
    leave $first
    finish image "$UPLOAD"
    cmp image data/disk.img

    # shellcheck disable=SC2086
    leave $first
    finish tree.tar "$UPLOAD-archive"
    cmp image data/big

    # shellcheck disable=SC2086
    leave $first
    start_target data/disk.img
    run_source image
    wait_target
    both_succeed
    cmp image data/disk.img

    # shellcheck disable=SC2086
    leave $first
    "$SOURCE" image --to data/disk.img >local.out 2>local.log ||
        fail "$(cat local.log)"
    cmp image data/disk.img
    [ "$(find data -name '.*' | wc -l)" = 0 ] || fail "$(ls -A data)"
done
