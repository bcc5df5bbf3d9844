#!/bin/bash
# An NBD server that is lost is waited for as a lost target is. When it is back,
# its disk is read again, since it may be another: the copy is what it serves
# now. When it stays away, or is smaller, both ends say so.
. "$(dirname "$0")/../func/lib.sh"
. "$(dirname "$0")/../func/lib_nbd.sh"
. "$(dirname "$0")/lib_resume.sh"
require qemu-nbd python3

SIZE=$((24 * MIB))
make_dense image $SIZE
cp image changed
put_noise changed $MIB $((64 * KIB)) 5
truncate -s $((20 * MIB)) short <image

lose_server() # TIME to retry for
{
    rm -f .copy.* copy
    serve_image image raw
    start_target copy --checkpoint-every=200ms
    start_slow_source 4MiB "$NBD_URI" --lanes=2 --retry-for="$1"
    wait_allocated $((6 * MIB))
    stop_nbd
    wait_log source 'lost the NBD server' || fail "not noticed"
}

# It comes back, with the same disk.
lose_server 60s
serve_image image raw
lift_rate
both_succeed
assert_log source 'was lost and is back: reading all of it again'
assert_same image copy $SIZE
stop_nbd

# With another disk of the same size.
lose_server 60s
serve_image changed raw
lift_rate
both_succeed
assert_same changed copy $SIZE
stop_nbd

# With a smaller one.
lose_server 60s
serve_image short raw
wait_source
assert_status source 12
assert_log source 'is back with a disk of [0-9]+ bytes, not of'
stop_process "$TARGET_PID"
stop_nbd

# Not at all.
lose_server 1s
wait_source
assert_status source 75
assert_log source '"level":"error","msg":"[^"]*connect to nbd'
stop_process "$TARGET_PID"

# A server that fails in other ways: an error of its disk, half an answer.
reason='read 1048576 bytes at [0-9]+ of nbd.*: Input/output error'
for mode in eio half; do
    rm -f "$NBD_SOCKET" .copy.* copy
    serve_nbd python3 "$TESTS/tools/nbd_liar.py" "$NBD_SOCKET" $mode
    TARGET_WITH=(--once) SOURCE_WITH=()
    start_target copy
    run_source "$NBD_URI"
    wait_target
    assert_status source 30
    assert_status target 30
    assert_log source "$reason"
    [ ! -e copy ] || fail "a copy of a disk that was not read"
    stop_nbd
    reason='nbd.*: the NBD server gave 524288 of 1048576 bytes'
done
