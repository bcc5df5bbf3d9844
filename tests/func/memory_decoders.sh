#!/bin/bash
# In a memory limit, what is packed with a larger dictionary than fits is
# refused with what it needs and what there is; nobody is killed.
. "$(dirname "$0")/lib.sh"
. "$TESTS/func/lib_cdi.sh"
require_root "memory limits"
require xz zstd
require_plain_build "they need more memory"

# Enters a group, then becomes the command.
# shellcheck disable=SC2016 # $$ is that of the shell inside
enter='echo $$ >"$0" && exec "$@"'

if [ -w /sys/fs/cgroup/memory/tasks ]; then
    group=/sys/fs/cgroup/memory/clonewire.$$ tasks=tasks
    limit=memory.limit_in_bytes
elif grep -qw memory /sys/fs/cgroup/cgroup.subtree_control 2>/dev/null; then
    group=/sys/fs/cgroup/clonewire.$$ tasks=cgroup.procs limit=memory.max
else
    skip "no memory cgroup to make groups in"
fi
mkdir "$group" 2>/dev/null || skip "cgroups are read-only"
at_exit rmdir "$group"
echo $((64 * MIB)) >"$group/$limit" || skip "no memory limit here"
in_group=(bash -c "$enter" "$group/$tasks")

make_dense image $((3 * MIB))
xz -9 -c image >image.9.xz # says 64 MiB, whatever it holds
xz -6 -c image >image.6.xz
zstd -q --ultra -22 --long=27 -c < <(cat image) >image.27.zst
zstd -q -c < <(cat image) >image.zst

mkdir data
TARGET_UNDER=("${in_group[@]}")
start_server data/disk.img
refused() # FILE NEED
{
    upload "$1"
    assert_answer 500 "needs $2 MiB to decode, more than the "
    assert_answer 500 "that the memory limit of 64 MiB leaves for it: raise"
}
refused image.9.xz 65
refused image.27.zst 128
for file in image.6.xz image.zst; do
    upload $file
    assert_answer 200
    wait_success "Upload Complete"
    cmp image data/disk.img
    rm data/disk.img
    start_server data/disk.img
done
TARGET_UNDER=()

# From a file, by lanes, as well.
SOURCE_STATUS=0
"${in_group[@]}" "$SOURCE" image.9.xz --to copy 2>source.log || SOURCE_STATUS=$?
assert_status source 13
assert_log source 'needs 65 MiB .* raise the limit by [0-9]+ MiB, or use xz -6'
"${in_group[@]}" "$SOURCE" image.6.xz --to copy -q
cmp image copy

# Without a limit they are read.
rm copy
"$SOURCE" image.9.xz --to copy -q
cmp image copy
