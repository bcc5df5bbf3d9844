#!/bin/bash
# --follow of a disk that qemu-storage-daemon exports while a writer changes it:
# each pass opens the export again, and the last write is in the copy.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib_nbd.sh"
. "$(dirname "$0")/../fault/lib_resume.sh"
require qemu-io qemu-img nbdcopy

SIZE=$((16 * MIB))

write() # OFFSET BYTES PATTERN: as the guest does
{
    qemu-io -f raw -c "write -P $3 $1 $2" -c flush \
        "nbd+unix:///guest?socket=$NBD_SOCKET" >qemu-io.log 2>&1 ||
        fail "$(cat qemu-io.log)"
}

wait_pass() # N
{
    wait_log source "pass $1 is complete on the target" || fail "no pass $1"
}

make_dense image $SIZE
qemu-img convert -O qcow2 image guest.qcow2
serve_storage guest.qcow2
qmp '{"execute": "block-export-add", "arguments": {"type": "nbd",
    "id": "move", "node-name": "disk", "name": "move"}}'

start_target copy --delta=copy
start_source "nbd+unix:///move?socket=$NBD_SOCKET" --follow 200ms
wait_pass 1
write $MIB 65536 0xa1
wait_pass 3
write $((5 * MIB + 512)) 512 0xa2
# The guest has ended: its last write is done.
kill -USR1 "$SOURCE_PID"
both_succeed
nbdcopy "nbd+unix:///guest?socket=$NBD_SOCKET" last
cmp last copy
qemu-io -f raw -r -c "read -P 0xa2 $((5 * MIB + 512)) 512" copy | grep -q failed &&
    fail "the last write is not in the copy"
[ "$(count_of source data_bytes)" -le $MIB ] || fail "the last pass sent all"
