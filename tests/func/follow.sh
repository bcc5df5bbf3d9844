#!/bin/bash
# --follow clones in passes while the disk changes, until the last pass is asked
# for by a signal, a file, a line, or the time that it would take.  After each
# pass the target has a complete copy under its name; both sides end with 0 only
# after the last.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/../fault/lib_resume.sh"

SIZE=$((16 * MIB))

change() # N
{
    put_noise image $(($1 % 15 * MIB + 8192)) 4096 $((100 + $1))
}

wait_pass() # N: complete on the target
{
    wait_log source "pass $1 is complete on the target" ||
        fail "pass $1 did not end"
    wait_log target "pass $1 is complete; waiting" || fail "no pass $1 there"
}

ends_equal() # DEST PASSES
{
    both_succeed
    cmp image "$1" || fail "the last pass was not of the last state"
    assert_equal "$(count_of source passes)" "$2" "passes of the source"
    assert_equal "$(count_of target passes)" "$2" "passes of the target"
    grep -q '"not_of_one_moment":false' source.out || fail "marked as a mixture"
}

make_dense image $SIZE

# SIGUSR1; each pass is a delta.
start_target copy --delta=copy --receipt receipt
start_source image --follow 200ms
wait_pass 1
cmp image copy || fail "pass 1 is not the image"
is_running "$TARGET_PID" || fail "the target has ended"
change 1
wait_pass 2
wait_pass 3
cmp image copy || fail "pass 3 is not the image"
change 2
kill -USR1 "$SOURCE_PID"
wait_source
passes=$(count_of source passes)
[ "$passes" -ge 4 ] || fail "only $passes passes"
ends_equal copy "$passes"
[ "$(count_of source data_bytes)" -le $MIB ] || fail "the last pass sent all"
"$TARGET" --check-receipt receipt copy >check.out || fail "the last receipt"

# A file; an older copy, and a source that is started again in the middle.
rm -f copy
start_target copy --delta=copy
start_source image --follow 100ms --follow-until stop --job-id one
wait_pass 2
stop_process "$SOURCE_PID"
change 3
start_source image --follow 100ms --follow-until stop --job-id one
wait_pass 2
: >stop
wait_source
ends_equal copy "$(count_of source passes)"

# Lines: a pass for each, and the last.
mkfifo lines
exec 9<>lines
start_target copy --delta
SOURCE_UNDER=(bash -c 'exec "$0" "$@" <lines')
start_source image --follow stdin
SOURCE_UNDER=()
wait_pass 1
change 4
echo >&9
wait_pass 2
cmp image copy || fail "pass 2 is not the image"
change 5
echo cutover >&9
ends_equal copy 3

# The time that the last pass would take.
start_target copy --delta
start_source image --follow 100ms --cutover-under 60s
ends_equal copy 3

# Others get no place between passes.
start_target copy --delta
first=$TARGET_PID
start_source image --follow 60s --job-id one
wait_pass 1
follower=$SOURCE_PID
"$SOURCE" "${SOURCE_WITH[@]}" "${SOURCE_IDENTITY[@]}" image "$TARGET_ADDRESS" \
    --job-id other --connect-timeout 1s >other.log 2>&1 && fail "it had a place"
grep -q 'busy: waiting for another source' other.log || fail "$(cat other.log)"
SOURCE_PID=$follower
kill -USR1 "$SOURCE_PID"
ends_equal copy 2
[ "$TARGET_PID" = "$first" ] || fail "another target"

# What cannot be done.
"$SOURCE" "${SOURCE_IDENTITY[@]}" - 127.0.0.1:1 --follow 1s <image 2>bad.log &&
    fail "a pipe was followed"
grep -q 'cannot be read more than once' bad.log || fail "$(cat bad.log)"
