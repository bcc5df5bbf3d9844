#!/bin/bash
# A --state-dir that cannot be written costs the checkpoint and not the clone;
# a warning says so.
. "$(dirname "$0")/lib.sh"
require_root "mounts"

make_dense disk 3072000

mkdir state
mount -t tmpfs -o size=1M none state
at_exit umount -l state

try() # COPY [OPTION...]: slow enough for a checkpoint
{
    start_target "$1" --checkpoint-every 100ms --once "${@:2}"
    run_source disk --rate 2MiB
    wait_target
    assert_status source 0
    assert_status target 0
    cmp disk "$1"
}

# A record of another run that cannot be removed.
start_target stale --state-dir state --checkpoint-every 100ms --once
start_slow_source 1MiB disk
for ((i = 0; i < 1200; i++)); do
    [ -z "$(find state -name '*-state')" ] || break
    sleep 0.05
done
kill -9 "$SOURCE_PID" "$TARGET_PID"
wait_source
wait_target
[ -n "$(find state -name '*-state')" ] || fail "no record was written"
mount -o remount,ro state
try stale --state-dir state --resume=off
assert_log target 'no checkpoint: .*Read-only file system'

try copy --state-dir state
assert_log target 'no checkpoint: .*Read-only file system'

try copy2 --state-dir missing
assert_log target 'no checkpoint: .*No such file or directory'
