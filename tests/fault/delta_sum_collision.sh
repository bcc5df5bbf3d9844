#!/bin/bash
# Two different blocks with the same block sum: the digest detects that a delta
# took them for the same, and the chunk is sent.
. "$(dirname "$0")/../func/lib.sh"
. "$(dirname "$0")/lib_resume.sh"
require python3

SIZE=$((8 * MIB))

# The first six bytes of their XXH3-64 are ab569169813c: found by trying.
put_block() # FILE OFFSET NUMBER: it, and 4088 zero bytes
{
    python3 -c '
import os, sys
block = int(sys.argv[3]).to_bytes(8, "little") + bytes(4088)
os.pwrite(os.open(sys.argv[1], os.O_WRONLY), block, int(sys.argv[2]))' "$@"
}

deceive() # OFFSET: the image and the older copy differ there, by their bytes
{
    put_block image "$1" 1670172
    put_block older "$1" 12396340
}

update() # RECONNECTS
{
    ! cmp -s image older || fail "they do not differ"
    start_target older --delta
    run_source image
    wait_target
    assert_status source 0
    assert_status target 0
    assert_digests_equal
    assert_same image older $SIZE
    assert_equal "$(count_of source reconnects)" "$1" "reconnects"
    [ "$(count_of source wire_bytes)" -le $((SIZE / 20)) ] ||
        fail "$(count_of source wire_bytes) bytes on the wire"
}

make_dense image $SIZE
cp image older

# Nothing else of the leaf differs, so it cannot be as its sums say.
deceive $((MIB + 65536 + 8192))
update 0
refute_log target 'retrying with 64 KiB'

# With something else that does, only the digest of the chunk tells.
deceive $((5 * MIB + 65536))
put_noise image $((5 * MIB + 65536 + 20480)) 4096 9
put_noise image $((2 * MIB)) 4096 10
update 1
assert_log target "chunk at $((5 * MIB)): .*; retrying with 64 KiB leaves"
