#!/bin/bash
# While a machine writes to its disk, a copy of one moment is made of it; a later
# pass reads only what a dirty bitmap marks, and again gives one moment.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib_nbd.sh"
. "$(dirname "$0")/../fault/lib_resume.sh"
require qemu-storage-daemon qemu-io qemu-img python3

SIZE=$((64 * MIB))
qemu-img create -q -f qcow2 disk.qcow2 $SIZE
qemu-io -c 'write -P 1 0 40M' disk.qcow2 >/dev/null
serve_storage disk.qcow2
guest="nbd+unix:///guest?socket=$NBD_SOCKET"

# A moment of the disk as export NAME, which holds what the guest overwrites.
begin_moment() # NAME ACTION...
{
    local name=$1 IFS=,

    shift
    qemu-img create -q -f qcow2 -b disk.qcow2 -F qcow2 -u "$name.qcow2" $SIZE
    qmp '{"execute": "blockdev-add", "arguments": {"driver": "qcow2",
            "node-name": "'"$name"'", "backing": "disk", "file":
            {"driver": "file", "filename": "'"$WORK/$name.qcow2"'"}}}' \
        '{"execute": "transaction", "arguments": {"actions": ['"$*"',
            {"type": "blockdev-backup", "data": {"job-id": "job-'"$name"'",
             "device": "disk", "target": "'"$name"'", "sync": "none"}}]}}'
}

add_bitmap='{"type": "block-dirty-bitmap-add",
             "data": {"node": "disk", "name": "b0"}}'
stop_bitmap='{"type": "block-dirty-bitmap-disable",
              "data": {"node": "disk", "name": "b0"}}'

write_on() # a guest that never stops
{
    local n=0

    while :; do
        qemu-io -f raw -c "write -q -P $((n % 250 + 2)) $((n * 7 % 30))M 256k" \
            "$guest" || return 0
        n=$((n + 1))
    done
}

begin_moment first "$add_bitmap"
qmp '{"execute": "block-export-add", "arguments": {"type": "nbd", "id": "e1",
      "node-name": "first", "name": "first"}}'
write_on >guest.log 2>&1 &
guest_pid=$!
at_exit stop_process $guest_pid
start_target copy
run_source "nbd+unix:///first?socket=$NBD_SOCKET"
both_succeed
qemu-img convert -O raw "nbd+unix:///first?socket=$NBD_SOCKET" want
assert_same want copy $SIZE
stop_process $guest_pid
qmp '{"execute": "block-export-del", "arguments": {"id": "e1", "mode": "hard"}}' \
    '{"execute": "block-job-cancel", "arguments": {"device": "job-first"}}'

qemu-io -f raw -c 'write -q -P 0xaa 50M 64k' -c 'write -q -P 0xbb 20M 1M' \
    "$guest"
begin_moment second "$stop_bitmap"
qmp '{"execute": "block-export-add", "arguments": {"type": "nbd", "id": "e2",
      "node-name": "second", "name": "second", "bitmaps": ["b0"]}}'
qemu-io -f raw -c 'write -q -P 0xcc 60M 1M' "$guest" # after the moment
start_target copy --delta --overwrite
run_source "nbd+unix:///second?socket=$NBD_SOCKET" --bitmap=b0
both_succeed
qemu-img convert -O raw "nbd+unix:///second?socket=$NBD_SOCKET" want2
assert_same want2 copy $SIZE
! cmp -s want want2 || fail "the guest wrote nothing"
[ "$(count_of source unread_bytes)" -ge $((10 * MIB)) ] ||
    fail "only $(count_of source unread_bytes) bytes were left unread"
assert_log source 'chunks are read'
