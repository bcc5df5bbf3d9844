#!/bin/bash
# Connections are reset again and again: the same two processes continue, send
# again only what was in flight, and end with an equal disk.
. "$(dirname "$0")/../func/lib.sh"
. "$(dirname "$0")/lib_resume.sh"
require python3

SIZE=$((256 * MIB))
IN_FLIGHT=$((32 * MIB)) # two lanes: eight buffers each, and what sockets hold

try() # FAULT BYTES TIMES
{
    start_target copy --once
    start_flaky "$@"
    run_source image --progress 4 4>source.progress
    wait_target
    assert_status source 0
    assert_status target 0
    assert_digests_equal
    assert_same image copy $SIZE
    assert_equal "$(count_of source reconnects)" "$3" "reconnects"
    [ "$(count_of source data_bytes)" -le $((SIZE + $3 * IN_FLIGHT)) ] ||
        fail "sent $(count_of source data_bytes) bytes of $SIZE"
    [ "$(count_of source same_bytes)" -gt 0 ] || fail "nothing was kept"
    grep -oE '"handled_bytes":[0-9]+' source.progress | cut -d : -f 2 >shares
    [ "$(wc -l <shares)" -ge 3 ] || fail "no progress was told"
    sort -nc shares || fail "progress went back"
    kill "$FLAKY_PID"
    rm copy
}

make_dense image $SIZE
SOURCE_WITH+=(--lanes 2)
TARGET_WITH+=(--lanes 2)
try cut $((64 * MIB)) 3
try lane $((100 * MIB)) 2
