#!/bin/bash
# "DataVolume too small": the controller recognizes a clone that does not fit by
# the last line of the source's log, by either protocol and to a file or a
# device. The server logs the same, stays up, and takes a smaller disk.
. "$(dirname "$0")/../func/lib.sh"
. "$TESTS/func/lib_cdi.sh"
. "$TESTS/func/lib_cloner.sh"
require_loop
require mkfs.ext4

TEXT='effective image size is larger than the reported available storage'
make_sparse small $((6 * MIB))
make_dense large $((40 * MIB))
mkdir files
cp large files/disk.img
attach_dirty dirty $((8 * MIB))
device=$LOOP
truncate -s 32M volume
mkfs.ext4 -q volume
mount_at mounted volume -o loop
server_env CLONEWIRE_TERMINATION_LOG="$PWD/target.term"

for http in false true; do
    cloner_env CLONEWIRE_HTTP_ONLY=$http
    for dest in "$PWD/mounted/disk.img" "$device"; do
        start_server "$dest"
        SERVER_ADDRESS=$TARGET_ADDRESS
        for from in "block $PWD/large" "filesystem $PWD/files"; do
            : >target.log
            # shellcheck disable=SC2086 # two words
            run_cloner $from
            assert_failed "$TEXT"
            wait_log target "$TEXT.*waiting for another" ||
                fail "the server ended: $from, http $http"
        done
        run_cloner block "$PWD/small"
        assert_complete
        wait_target
        assert_status target 0
        cmp -n $((6 * MIB)) small "$dest"
        rm -f mounted/disk.img
    done
done

# A volume that fills up in the middle is empty again afterwards.
make_dense full $((20 * MIB))
attach full
fallocate -l 12M mounted/ballast
CLONER_ENV=()
start_server "$PWD/mounted/disk.img"
SERVER_ADDRESS=$TARGET_ADDRESS
run_cloner block "$LOOP"
assert_failed "$TEXT.*No space left on device"
rm mounted/ballast
run_cloner block "$LOOP"
assert_complete
wait_target
assert_status target 0
cmp full mounted/disk.img
