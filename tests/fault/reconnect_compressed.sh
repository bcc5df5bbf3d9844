#!/bin/bash
# Connections are reset in the middle of compressed data: the clone continues
# with compressed data, and sends again only what was in flight. A killed
# target resumes from its checkpoint likewise.
. "$(dirname "$0")/../func/lib.sh"
. "$(dirname "$0")/lib_resume.sh"
require python3

# Hexadecimal noise packs to half, and does not repeat.
make_hex() # FILE BYTES
{
    noise $(($2 / 2)) | od -An -v -tx1 -w32 | tr -d ' \n' >"$1"
}

SIZE=$((48 * MIB))
make_hex image $SIZE
SOURCE_WITH+=(--compress=zstd --lanes=2 --job-id the-job)
TARGET_WITH+=(--lanes=2 --checkpoint-every=0.1s)

check_packed() # LEAST BYTES
{
    assert_digests_equal
    assert_same image copy $SIZE
    [ "$(count_of source compressed_bytes)" -ge "$1" ] ||
        fail "compressed only $(count_of source compressed_bytes) bytes"
    [ "$(count_of source same_bytes)" -gt 0 ] || fail "nothing was kept"
}

start_target copy --once
start_flaky cut $((10 * MIB)) 2
run_source image
wait_target
assert_status source 0
assert_status target 0
assert_equal "$(count_of source reconnects)" 2 "reconnects"
check_packed $SIZE
kill "$FLAKY_PID"
rm copy
unset SOURCE_DIALS

start_target copy
start_slow_source 2MiB image --retry-for=off
wait_checkpoint 4
stop_process "$TARGET_PID"
wait_source
assert_status source 75
start_target copy
run_source image
wait_target
assert_status source 0
assert_status target 0
check_packed 1
