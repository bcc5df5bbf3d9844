#!/bin/bash
# cdi-cloner and cdi-uploadserver clone block volumes: a device to a larger one
# with old data, to a file, and a disk image in a directory to a device, over
# clonewire/1 and HTTP.
. "$(dirname "$0")/lib.sh"
. "$TESTS/func/lib_cdi.sh"
. "$TESTS/func/lib_cloner.sh"
require qemu-img
require_loop

make_sparse disk $((6 * MIB + 512))
attach disk
FROM=$LOOP
attach_dirty dirty $((16 * MIB))
TO=$LOOP
mkdir volume
cp --sparse=always disk volume/disk.img
server_env CLONEWIRE_TERMINATION_LOG="$PWD/target.term"

DONE='\{"preallocationApplied":false,"message":"Clone Complete"\}' # a pattern
both() # MODE PATH DEST PROTOCOL [TEXT]: that the source leaves
{
    start_server "$3"
    SERVER_ADDRESS=$TARGET_ADDRESS
    run_cloner "$1" "$2"
    assert_complete "${5:-Clone Complete}"
    wait_target
    assert_status target 0
    assert_log source "by $4"
    grep -qxE "$DONE" target.term ||
        fail "the target's word: $(cat target.term)"
}

for protocol in clonewire/1 http/1.1; do
    [ $protocol = clonewire/1 ] || cloner_env CLONEWIRE_HTTP_ONLY=true

    both block "$FROM" "$TO" $protocol
    assert_same disk "$TO" $((6 * MIB + 512))
    make_dirty "$TO" $((16 * MIB))

    mkdir data
    both block "$FROM" "$PWD/data/disk.img" $protocol
    cmp disk data/disk.img || fail "another disk by $protocol"
    assert_allocation disk data/disk.img
    rm -rf data

    both filesystem "$PWD/volume" "$TO" $protocol
    assert_same disk "$TO" $((6 * MIB + 512))
    make_dirty "$TO" $((16 * MIB))
done
CLONER_ENV=()

# Of a volume of several files the disk, and no other that is called alike.
# Not every device can reserve space: the source's word is what counts.
make_dense volume/backup-disk.img $MIB
cloner_env PREALLOCATION=true
server_env PREALLOCATION=true
all_well=$DONE
DONE='\{"preallocationApplied":(true|false),"message":"Clone Complete"\}'
both filesystem "$PWD/volume" "$TO" http/1.1 \
    'Clone Complete, Preallocation applied'
assert_same disk "$TO" $((6 * MIB + 512))
make_dirty "$TO" $((16 * MIB))
CLONER_ENV=()
server_env PREALLOCATION=false
DONE=$all_well

# A QCOW2 is the disk that it holds.
qemu-img convert -O qcow2 disk volume/disk.img
both filesystem "$PWD/volume" "$TO" http/1.1
assert_same disk "$TO" $((6 * MIB + 512))

# None at all: both say so, and the server goes on.
rm volume/disk.img
start_server "$TO"
SERVER_ADDRESS=$TARGET_ADDRESS
run_cloner filesystem "$PWD/volume"
assert_failed 'Unexpected status code 500.*no disk image found in tar'
assert_log target 'no disk image found in tar.*waiting for another'
make_sparse small.img $MIB
run_cloner block "$PWD/small.img"
assert_complete
wait_target
assert_status target 0
assert_same small.img "$TO" $MIB

# One that is too small is found out before anything is sent.
attach_new narrow $((4 * MIB))
start_server "$LOOP"
SERVER_ADDRESS=$TARGET_ADDRESS
for only in true false; do
    cloner_env CLONEWIRE_HTTP_ONLY=$only
    run_cloner block "$FROM"
    assert_status source 255
    assert_log source '6291968|larger than the reported available'
    CLONER_ENV=()
done
cmp narrow <(head -c $((4 * MIB)) /dev/zero) || fail "it was written to"
