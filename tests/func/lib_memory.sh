# shellcheck shell=bash disable=SC2034
# lib_memory.sh - programs in memory cgroups.  After lib.sh.
#
#   make_memory_group NAME BYTES    a cgroup with that limit
#   UNDER_LIMIT=(…)                 the command that runs another one in it
require_root "memory limits"
require_plain_build "it needs more memory"

if [ -w /sys/fs/cgroup/memory/tasks ]; then
    groups=/sys/fs/cgroup/memory/clonewire.$$ tasks=tasks
    limit=memory.limit_in_bytes
elif grep -qw memory /sys/fs/cgroup/cgroup.subtree_control 2>/dev/null; then
    groups=/sys/fs/cgroup/clonewire.$$ tasks=cgroup.procs limit=memory.max
else
    skip "no memory cgroup to make groups in"
fi
mkdir "$groups" 2>/dev/null || skip "cgroups are read-only"
at_exit rmdir "$groups"
[ $limit != memory.max ] || echo +memory >"$groups/cgroup.subtree_control"

make_memory_group() # NAME BYTES: UNDER_LIMIT
{
    mkdir -p "$groups/$1"
    at_exit rmdir "$groups/$1"
    echo "$2" >"$groups/$1/$limit" || skip "no memory limit here"
    # Enters the group, then becomes the command.
    # shellcheck disable=SC2016 # $$ is that of the shell inside
    UNDER_LIMIT=(bash -c 'echo $$ >"$0" && exec "$@"' "$groups/$1/$tasks")
}
