#!/bin/bash
# cloner_test 1354, 1355: a clone's file has the source's whole content and
# nothing else, on a volume that is larger. Size, mode bits and owner are as CDI
# leaves them, by either protocol, also over an older disk.
. "$(dirname "$0")/../func/lib.sh"
. "$TESTS/func/lib_cdi.sh"
. "$TESTS/func/lib_cloner.sh"

mkdir volume data
make_sparse volume/disk.img $((6 * MIB + 512))
chmod 640 volume/disk.img
server_env UPLOAD_IMAGE_SIZE=64Mi FILESYSTEM_OVERHEAD=0.06 \
    CLONEWIRE_TERMINATION_LOG="$PWD/target.term"

clone_volume() # MODE PATH
{
    start_server "$PWD/data/disk.img"
    SERVER_ADDRESS=$TARGET_ADDRESS
    run_cloner "$1" "$2"
    assert_complete
    wait_target
    assert_status target 0
    assert_equal "$(md5sum <data/disk.img)" "$(md5sum <volume/disk.img)" md5
}

for http in false true; do
    cloner_env CLONEWIRE_HTTP_ONLY=$http
    for old in none other; do
        rm -f data/disk.img
        if [ $old = other ]; then
            make_dense data/disk.img $MIB
            chmod 606 data/disk.img
        fi
        clone_volume filesystem "$PWD/volume"
        assert_equal "$(stat -c '%s %a %u' data/disk.img)" \
            "$((6 * MIB + 512)) 640 $(id -u)" "file to file, http $http, $old"
    done
    rm data/disk.img
    clone_volume block "$PWD/volume/disk.img"
    assert_equal "$(stat -c '%s %a' data/disk.img)" "$((6 * MIB + 512)) 660" \
        "block to file, http $http"
done

# A file of another size than whole sectors stays as it is.
truncate -s 1000001 volume/disk.img
clone_volume filesystem "$PWD/volume"
