#!/bin/bash
# Both sides of a clone confine themselves once their disks are open: every
# thread has a filter of system calls. --sandbox=off does not; without Landlock
# in the kernel, auto warns and require refuses.
. "$(dirname "$0")/lib.sh"
unset CLONEWIRE_SANDBOX

truncate -s 8M image
put_noise image $((MIB)) $((2 * MIB))

# A build with a sanitizer has none.
has=$("$SOURCE" --doctor --json | grep '"name":"sandbox"') ||
    fail "--doctor does not speak of it"
grep -q '"good":true' <<<"$has" || skip "this kernel: $has"
"$TOOLS/nouring" LANDLOCK "$SOURCE" --doctor >out
grep -qE '^no +sandbox +no Landlock, seccomp: .*5\.13' out || fail "$(cat out)"

seccomp_of() # PID: the modes of its threads
{
    cat "/proc/$1/task/"*/status | sed -n 's/^Seccomp:[[:space:]]*//p' | sort -u
}

start_target copy --sandbox=require
# It listens a moment before it is confined.
wait_log target 'listening on'
for _ in {1..50}; do
    got=$(seccomp_of "$TARGET_PID")
    [ "$got" != 2 ] || break
    sleep 0.1
done
assert_equal "$got" 2 "the target's threads"
SOURCE_WITH=(--sandbox=require)
start_source image
both_succeed
cmp image copy

start_target copy.off --sandbox=off
sleep 0.5
assert_equal "$(seccomp_of "$TARGET_PID")" 0 "the target without a sandbox"
SOURCE_WITH=(--sandbox=off)
start_source image
both_succeed
cmp image copy.off

# A question opens an image by path after it is confined.
"$SOURCE" --digest --sandbox=require image >digest.out
"$SOURCE" --digest --sandbox=off copy | diff - digest.out

SOURCE_WITH=()
"$TOOLS/nouring" LANDLOCK "$SOURCE" image --to copy.auto 2>err
cmp image copy.auto
grep -q 'sandbox: no Landlock in this kernel' err || fail "$(cat err)"
STATUS=0
"$TOOLS/nouring" LANDLOCK "$SOURCE" image --to copy.no --sandbox=require \
    2>err || STATUS=$?
assert_equal "$STATUS" 1 "status without Landlock"
grep -q -- '--sandbox=require: no Landlock' err || fail "$(cat err)"
[ ! -e copy.no ] || fail "there is a copy"
