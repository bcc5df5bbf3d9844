#!/bin/bash
# A killed copy of a directory is continued: what has come is not sent again,
# nothing half-written has its name, and the trees are equal at the end.
. "$(dirname "$0")/../func/lib.sh"
. "$(dirname "$0")/lib_resume.sh"
. "$TESTS/func/lib_tree.sh"
require python3 diff

SIZE=$((48 * MIB))

staged_bytes()
{
    du -s --block-size=1 copy/.clonewire-tree 2>/dev/null | cut -f 1 || true
}

wait_staged() # BYTES
{
    local deadline=$((SECONDS + LONGEST)) bytes

    while bytes=$(staged_bytes); [ "${bytes:-0}" -lt "$1" ]; do
        is_running "$SOURCE_PID" || fail "the clone has ended"
        [ $SECONDS -le $deadline ] || fail "the clone does not continue"
        sleep 0.02
    done
}

begin() # up to a third, then slowly
{
    rm -rf copy
    mkdir copy
    echo 16MiB >rate
    start_target copy
    start_source tree --rate-file rate
    wait_staged $((SIZE / 3))
    slow_down
}

continue_to_end()
{
    echo off >rate
    both_succeed
    assert_tree tree copy
    [ "$(count_of source data_bytes)" -le $((SIZE * 3 / 4 + 6 * MIB)) ] ||
        fail "sent $(count_of source data_bytes) bytes again"
    [ -z "$(find copy -name '.clonewire*')" ] || fail "something is left"
}

assert_nothing_named()
{
    [ -z "$(find copy -mindepth 1 -maxdepth 1 ! -name .clonewire-tree)" ] ||
        fail "a file has its name: $(ls -A copy)"
}

make_tree tree
rmdir tree/lost+found
make_dense tree/disk $SIZE 6
touch -d @1600000000.5 tree

# Both are killed, and started again.
begin
stop_process "$SOURCE_PID" || true
stop_process "$TARGET_PID" || true
assert_nothing_named
start_target copy
start_source tree
continue_to_end

# The source is killed; the target waits for it.
begin
stop_process "$SOURCE_PID" || true
wait_log target 'come back'
assert_nothing_named
start_source tree
continue_to_end

# The target is killed; the source calls again.
begin
stop_process "$TARGET_PID" || true
assert_nothing_named
start_target copy
echo off >rate
kill -HUP "$SOURCE_PID"
both_succeed
assert_tree tree copy

# The tree is another one since: what was left of the older one is dropped.
begin
stop_process "$SOURCE_PID" || true
stop_process "$TARGET_PID" || true
echo new >tree/zero
start_target copy
start_source tree
both_succeed
assert_tree tree copy
