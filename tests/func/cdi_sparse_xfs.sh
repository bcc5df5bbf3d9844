#!/bin/bash
# On XFS, a sparse file in a tree takes about the space of the source, without
# what XFS preallocates for a growing file.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib_cdi.sh"
require_loop
require mkfs.xfs python3

truncate -s 1G volume
mkfs.xfs -q -f volume
mount_at data volume -o loop
mkdir tree
python3 - <<'PY'
import os
with open("tree/disk.img", "wb") as f:
    f.truncate(900 << 20)
    for i in range(36):
        f.seek(i * (25 << 20))
        f.write(os.urandom(1 << 20))
PY
echo note >tree/note
tar -C tree -S -cf tree.tar .
start_server data/disk.img
upload tree.tar "$UPLOAD-archive"
assert_answer 200
wait_success "Upload Complete"
sync
cmp tree/disk.img data/disk.img
[ "$(allocated_bytes data/disk.img)" -lt $((45 * MIB)) ] ||
    fail "$(allocated_bytes data/disk.img) bytes are allocated for 36 MiB"
