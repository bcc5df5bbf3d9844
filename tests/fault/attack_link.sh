#!/bin/bash
# The disk of a filesystem volume is not read through a symbolic link, which a
# guest or another user of the volume could point at any file of the source.
. "$(dirname "$0")/../func/lib.sh"
. "$TESTS/func/lib_cdi.sh"
. "$TESTS/func/lib_cloner.sh"

make_dense secret $((2 * MIB))
mkdir volume
start_server data.img
SERVER_ADDRESS=$TARGET_ADDRESS

# While the source tells a disk from a tree it is a file, and later a link.
make_empty volume/disk.img $((2 * MIB))
cat >swap.sh <<'END'
exec 2>/dev/null
while :; do
    ln -sf ../secret volume/new && mv -T volume/new volume/disk.img
    truncate -s 2M volume/new && mv -T volume/new volume/disk.img
done
END
bash swap.sh &
SWAP=$!
at_exit stop_process $SWAP
for ((i = 0; i < 8; i++)); do
    run_cloner filesystem "$PWD/volume"
    if [ "$SOURCE_STATUS" = 0 ]; then
        wait_target
        ! cmp -s secret data.img || fail "a file outside the volume was sent"
        rm -f data.img
        start_server data.img
        SERVER_ADDRESS=$TARGET_ADDRESS
    fi
done
stop_process $SWAP

# A link that stays is refused, or sent as the link that it is.
ln -sf ../secret volume/disk.img
mkdir tree
stop_process "$TARGET_PID"
start_server tree/disk.img
SERVER_ADDRESS=$TARGET_ADDRESS
run_cloner filesystem "$PWD/volume"
[ ! -f tree/disk.img ] || [ -L tree/disk.img ] ||
    fail "a link was followed"
