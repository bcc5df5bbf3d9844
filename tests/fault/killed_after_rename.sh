#!/bin/bash
# Both sides are killed when the disk is whole and has its name, but before the
# source knows. After a restart both get the result and send nothing again;
# data that is there by then is overwritten only with --overwrite.
. "$(dirname "$0")/../func/lib.sh"
. "$(dirname "$0")/lib_resume.sh"
require python3

SIZE=$((48 * MIB))
# Long enough for the end of a clone: until then the source waits for an answer.
SOURCE_WITH+=(--job-id the-job --dead-peer-timeout 6s)

left() # what is beside copy
{
    find . -name '.copy.*'
}

finish() # up to the point where copy is there and the source has not heard
{
    rm -f copy
    [ -z "$(left)" ] || fail "left before: $(left)"
    start_target copy
    start_flaky deaf $((40 * MIB)) 1
    start_source image
    wait_exists copy || fail "no copy"
    is_running "$SOURCE_PID" || fail "the source has heard"
    is_running "$TARGET_PID" || fail "the target has ended"
}

assert_refused() # REGEX
{
    local side

    for side in source target; do
        assert_status $side 11
        assert_log $side "$1"
    done
}

assert_told()
{
    both_succeed
    assert_same image copy $SIZE
    [ -z "$(left)" ] || fail "left: $(left)"
    kill "$FLAKY_PID"
}

make_dense image $SIZE

# Nobody is killed: the source asks again.
finish
assert_told
assert_equal "$(count_of source data_bytes)" $SIZE "data sent"

# The target.  A source that has finished keeps its numbers.
finish
stop_process "$TARGET_PID"
start_target copy
assert_told
assert_equal "$(count_of source data_bytes)" $SIZE "data sent"

# The source, and both: who starts anew compares, and sends nothing.
for who in source both; do
    finish
    stop_process "$SOURCE_PID"
    if [ $who = both ]; then
        stop_process "$TARGET_PID"
        start_target copy
    fi
    start_source image
    assert_told
    assert_equal "$(count_of source data_bytes)" 0 "$who: data sent"
    assert_equal "$(count_of source same_bytes)" $SIZE "$who: data held"
done

# The source has changed: the copy is not touched.
finish
stop_process "$SOURCE_PID"
stop_process "$TARGET_PID"
cp copy before
put_noise image $((7 * MIB)) 4096 9
start_target copy --retry-for off
run_source image --retry-for off
wait_target
assert_refused 'complete, and the source has changed since, at 7340032'
cmp copy before
make_dense image $SIZE

# Another job finds a file that is in the way.
start_target copy --retry-for off
run_source image --retry-for off --job-id another
wait_target
assert_refused 'copy exists'
cmp copy before

# Which has changed nothing: ours still hears the truth.
start_target copy
run_source image
wait_target
assert_status source 0
assert_status target 0
[ -z "$(left)" ] || fail "left: $(left)"
kill "$FLAKY_PID"

# Nobody calls: the target reads the disk, and ends by itself.
finish
stop_process "$SOURCE_PID"
stop_process "$TARGET_PID"
start_target copy --retry-for 1s
wait_target
assert_status target 0
assert_log target 'no source has called: copy is whole, and was read again'
[ -z "$(left)" ] || fail "left: $(left)"
kill "$FLAKY_PID"

# A bit has rotted, and no time tells of it.
finish
stop_process "$SOURCE_PID"
stop_process "$TARGET_PID"
touch -r copy before
put_noise copy $((9 * MIB)) 512 4
touch -r before copy
start_target copy --retry-for 1s
wait_target
assert_status target 11
assert_log target 'is not what an earlier run finished'
kill "$FLAKY_PID"
rm .copy.clonewire-state

# --overwrite: another disk of the source takes its place.
finish
stop_process "$SOURCE_PID"
stop_process "$TARGET_PID"
put_noise image $((7 * MIB)) 4096 9
start_target copy --overwrite
run_source image
assert_told
make_dense image $SIZE

# Somebody has written to the copy since: it is not ours any more.
finish
stop_process "$SOURCE_PID"
stop_process "$TARGET_PID"
sleep 0.02 # a tick of the clock that the kernel dates files by
put_noise copy 0 512 3
refuse_target 11 'copy exists' copy
