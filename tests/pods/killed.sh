#!/bin/bash
# A pod killed in mid-clone is started again by its controller: the other
# one waited, and the clone ends well.
. "$(dirname "$0")/lib_pods.sh"
require_podman
require_image
require_loop
RATE=400mbit
make_nodes
make_block_disk source $((96 * MIB)) --direct-io=on
make_block_disk target $((96 * MIB)) --direct-io=on
put_noise source.img 0 $((96 * MIB))

wait_written() # MIB: the target's disk has so much, by what it tells
{
    local i

    for ((i = 0; i < 600; i++)); do
        get_from_node target https://127.0.0.1:9443/metrics >metrics || :
        awk -v least=$(($1 * MIB)) '/^clonewire_written_bytes_total / &&
            $2 >= least { enough = 1 } END { exit !enough }' metrics && return 0
        sleep 0.05
    done
    fail "not $1 MiB are written: $(grep written metrics)"
}

start_pod target block
pod_says target 'listening on'
start_pod source block CLONEWIRE_RATE=6MiB # 16 s, for a busy podman
victim=$(container_of source)
wait_written 20
podman kill "$victim" >/dev/null
wait_pod source
assert_equal "$STATUS" 137 "status of a killed source"
pod_says target 'waiting for '
stop_pod source

start_pod source block
wait_pod source
assert_equal "$STATUS" 0 "status of the second source"
wait_pod target
assert_equal "$STATUS" 0 "status of the target"
word source 'w["kind"] == "success" and w["bytes"] < w["disk_bytes"] * 0.9'
word target 'w["kind"] == "success"'
cmp source.img target.img || fail "the disks differ"
stop_pod source
stop_pod target

# The target is killed: its source waits for the next, which goes on from the
# checkpoint of the first.
mkdir state
chown 107:107 state
dd if=/dev/zero of="$DISK_target" bs=1M count=96 oflag=direct status=none
PLAY_WITH=(--state "$PWD/state")
start_pod target block CLONEWIRE_CHECKPOINT_EVERY=200ms
pod_says target 'listening on'
PLAY_WITH=()
victim=$(container_of target)
start_pod source block CLONEWIRE_RATE=6MiB
wait_written 24
podman kill "$victim" >/dev/null
wait_pod target
stop_pod target
PLAY_WITH=(--state "$PWD/state")
start_pod target block
PLAY_WITH=()
wait_pod source
assert_equal "$STATUS" 0 "status of the source"
wait_pod target
assert_equal "$STATUS" 0 "status of the second target"
cmp source.img target.img || fail "the disks differ"
word target 'w["bytes"] < w["disk_bytes"] * 0.9'
