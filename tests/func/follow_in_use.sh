#!/bin/bash
# With --follow a disk in use is read in all passes but the last, which waits
# until it is free.  A pass of a disk that changes meanwhile is marked as not of
# one moment, on both sides, in summary, receipt, metrics and termination
# message; so is a clone with --allow-in-use.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/../fault/lib_resume.sh"
require python3

SIZE=$((16 * MIB))

hold() # as a running QEMU holds its image: a lock on byte 201
{
    start_helper holder python3 -c '
import fcntl, os, struct, time
fd = os.open("image", os.O_RDWR)
for byte in (100, 101, 201):
    fcntl.fcntl(fd, 37, struct.pack("hhqqi4x", fcntl.F_RDLCK, 0, byte, 1, 0))
print("listening on holder", flush=True)
time.sleep(600)'
}

wait_pass()
{
    wait_log source "pass $1 is complete on the target" || fail "no pass $1"
}

make_dense image $SIZE
hold
refuse() # no pass without --follow
{
    start_target refused --once
    run_source image
    assert_status source 12
    assert_log source 'in use|running'
    stop_process "$TARGET_PID"
}
refuse

start_target copy --receipt target.receipt --termination-log target.term
start_slow_source $((8 * MIB)) image --follow 100ms --receipt source.receipt \
    --termination-log source.term
wait_log source 'copying'
put_noise image 4096 4096 9 # during the first pass
lift_rate
wait_pass 1
wait_log source 'not of one moment' || fail "not noticed"
kill -USR1 "$SOURCE_PID"
wait_log source 'the last pass waits until it is free' || fail "it did not wait"
cp target.receipt first.receipt
put_noise image 8192 4096 10
stop_process "$HELPER_PID"
both_succeed
cmp image copy
grep -q '"state"' source.receipt target.receipt && fail "the end is a mixture"

# A clone with --allow-in-use that reads a mixture tells so.
start_target mixed --receipt target.receipt --termination-log target.term
start_slow_source $((4 * MIB)) image --allow-in-use --receipt source.receipt \
    --termination-log source.term
wait_log source copying
put_noise image 4096 4096 11
lift_rate
both_succeed
for side in source target; do
    grep -q '"not_of_one_moment":true' $side.out || fail "summary of the $side"
    grep -q '"state": "not of one moment"' $side.receipt ||
        fail "receipt of the $side"
    grep -q '"notOfOneMoment":true' $side.term || fail "termination of the $side"
done
"$SOURCE" --to here --allow-in-use image >to.out 2>&1 || fail "$(cat to.out)"
grep -q 'not of one moment' to.out && fail "nothing changed meanwhile"
exit 0
