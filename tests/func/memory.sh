#!/bin/bash
# A target that writes 20 MB/s, in 64 MiB of memory: finishes, is not killed.
. "$(dirname "$0")/lib.sh"
require_root "memory limits"
require mkfs.ext4
require_plain_build "they need more memory"
refuse_tmpfs

# Enters a group, then becomes the command.
# shellcheck disable=SC2016 # $$ is that of the shell inside
enter='echo $$ >"$0" && exec "$@"'

limited() # MODE SEED DEST: clone new data with both sides in groups of 64 MiB
{
    SOURCE_UNDER=(bash -c "$enter" "$group/source/$tasks")
    TARGET_UNDER=(bash -c "$enter" "$group/target/$tasks")
    SOURCE_WITH=(--io-mode="$1") TARGET_WITH=(--io-mode="$1" --overwrite)
    make_dense data $((80 * MIB)) "$2"
    clone data "$3"
}

make_group() # LIMIT-FILE
{
    local side

    for side in source target; do
        mkdir -p "$group/$side"
        at_exit rmdir "$group/$side"
        echo $((64 * MIB)) >"$group/$side/$1" || skip "no memory limit here"
    done
}

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
[ $limit != memory.max ] || echo +memory >"$group/cgroup.subtree_control"
make_group $limit

make_empty backing $((128 * MIB))
faulty_up backing slow 160M
attach "$FAULTY_DISK" --direct-io=on
device=$LOOP
# What lies behind the device is compared, since that is not slow.
limited direct 1 "$device"
cmp -n $((80 * MIB)) data backing
limited buffered 2 "$device"
cmp -n $((80 * MIB)) data backing

# Devices have no DONTCACHE; files have.
mkfs.ext4 -q -m 0 "$device"
mount_at mounted "$device"
if has_dontcache; then
    limited dontcache 3 mounted/disk.img
else
    limited auto 3 mounted/disk.img
fi
assert_same data mounted/disk.img $((80 * MIB))
