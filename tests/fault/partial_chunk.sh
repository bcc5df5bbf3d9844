#!/bin/bash
# A network that never lets a whole chunk through: the leaves that arrived are
# kept, and each connection resumes after them.
. "$(dirname "$0")/../func/lib.sh"
. "$(dirname "$0")/lib_resume.sh"
require python3

SIZE=$((3 * MIB))
SOURCE_WITH+=(--lanes=1)

# Every 400 kB all connections are reset, 100 times: of chunks alone not one
# would come before that.  Seven bring the 3 MiB, or more where a reset takes
# along what was on its way: most of it on a busy machine.
goes_on() # IMAGE SOURCE-OPTION [TARGET-OPTION...]
{
    rm -f copy
    start_target copy "${@:3}"
    start_flaky cut 400000 100
    run_source "$1" "$2"
    wait_target
    assert_status source 0
    assert_status target 0
    assert_same "$1" copy $SIZE
    [ "$(count_of source reconnects)" -ge 5 ] || fail "it was no cut"
    [ "$(count_of source reconnects)" -le 90 ] ||
        fail "$(count_of source reconnects) reconnects"
    stop_process "$FLAKY_PID"
}

make_dense image $SIZE
goes_on image --compress=off
assert_log target 'gone on with: [0-9]+ leaves of 64 KiB are held'
# What is not sent again is named: all of it, but for what is lost of a leaf.
[ "$(count_of target same_bytes)" -gt 0 ] || fail "nothing was named"
goes_on image --digest-algorithm=sha256

# Found on the disk, where that is read all the same.
goes_on image --compress=off --resume=compare

# Packed to three quarters: a frame of a whole chunk would not pass.
SIZE=$((4 * MIB))
make_dense packs $SIZE
for ((at = 0; at < SIZE; at += 4096)); do
    echo "$at"
done | python3 -c '
import sys
with open("packs", "r+b") as out:
    for line in sys.stdin:
        out.seek(int(line))
        out.write(b"text " * 200)'
goes_on packs --compress=zstd
[ "$(count_of source compressed_bytes)" -gt 0 ] || fail "nothing was packed"
