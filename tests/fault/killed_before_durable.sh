#!/bin/bash
# The target is killed when the copy has its name, but not durably: after a
# restart it flushes the directory before it reports success.
. "$(dirname "$0")/../func/lib.sh"
. "$(dirname "$0")/lib_resume.sh"
require python3 mkfs.ext4
require_loop

SIZE=$((16 * MIB))
SOURCE_WITH+=(--job-id the-job --dead-peer-timeout 6s)
TARGET_WITH+=(--state-dir "$PWD/state") # whose fsync is of another filesystem
mkdir state

# Nothing but fsync makes a name durable there, for as long as this takes.
truncate -s $((128 * MIB)) volume
mkfs.ext4 -q -F volume
attach volume
mount_at root "$LOOP" -o commit=300
make_dense image $SIZE

start_target root/copy
start_flaky deaf $((12 * MIB)) 1
start_source image
wait_exists root/copy "$SOURCE_PID" || fail "no copy"
stop_process "$TARGET_PID"
stop_process "$SOURCE_PID"

# As a kill between rename and fsync leaves it.
mv root/copy root/elsewhere
sync -f root
mv root/elsewhere root/copy

start_target root/copy --retry-for 1s
wait_target
cp --sparse=always volume stable
assert_status target 0

attach stable
mount_at after "$LOOP"
[ -e after/copy ] || fail "status 0, and the name was not durable"
assert_same image after/copy $SIZE
