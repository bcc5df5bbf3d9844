#!/bin/bash
# Pods of deploy/, on two nodes with a shaped link, clone block and
# filesystem volumes with either engine: as user 107, without capabilities,
# on a read-only root, with the default seccomp profile.
. "$(dirname "$0")/lib_pods.sh"
require_podman
require_image
require_loop
make_nodes

check() # MODE ENGINE [VARIABLE=VALUE...]: those for the target
{
    start_pod target "$1" "${@:3}"
    pod_says target 'listening on'
    assert_equal "$(get_from_node target https://127.0.0.1:9443/readyz)" \
        ready /readyz
    start_pod source "$1"
    wait_pod source
    assert_equal "$STATUS" 0 "status of the source"
    wait_pod target
    assert_equal "$STATUS" 0 "status of the target"
    for side in source target; do
        grep -q "I/O engine $2" $side.log || fail "$side: another engine"
        word $side 'w["kind"] == "success" and len(w["digest"]) == 73'
        word $side "w['side'] == '$side' and w['disk_bytes'] >= 64 << 20"
        stop_pod $side
    done
}

make_block_disk source $((64 * MIB)) --direct-io=on
make_block_disk target $((64 * MIB)) --direct-io=on -b 4096
put_noise source.img $((3 * MIB)) $((24 * MIB))
check block threads
cmp source.img target.img || fail "the disks differ"

# Under the profile of deploy/, io_uring is there.
put_noise source.img $((40 * MIB)) $((8 * MIB)) 7
PLAY_WITH=(--seccomp seccomp-io-uring.json)
check block io_uring CLONEWIRE_IO_ENGINE=uring
cmp source.img target.img || fail "the disks differ"
PLAY_WITH=()

device=$DISK_target
make_directory_disk source
make_directory_disk target
cp --sparse=always source.img source-volume/disk.img
check filesystem threads CLONEWIRE_SIZE=source
cmp source-volume/disk.img target-volume/disk.img || fail "the files differ"
assert_equal "$(stat -c %u target-volume/disk.img)" 107 "owner of the disk"
assert_allocation source-volume/disk.img target-volume/disk.img

# A block volume the pod's user may not write is refused in words.
chown root:root "$device"
DISK_target=$device
start_pod target block
wait_pod target
assert_equal "$STATUS" 31 "status of a target without the right"
word target '"device_ownership_from_security_context" in w["message"]'
word target 'w["kind"] == "target-io" and not w["retryable"]'
