#!/bin/bash
# --size=max grows the disk to what the volume offers within its overhead,
# which can be set.
. "$(dirname "$0")/lib.sh"
require_loop
require mkfs.ext4

make_dense image $((3 * MIB))
truncate -s 128M volume
mkfs.ext4 -q -m 0 volume
mount_at mounted volume -o loop
available=$(($(stat -f -c '%a * %S' mounted)))

check() # OVERHEAD-PPM OPTION...
{
    TARGET_WITH=(--size=max "${@:2}")
    clone image mounted/disk.img
    # usable = floor_1MiB(ceil(available / (1 + overhead)))
    usable=$(((available * 1000000 + 999999 + $1) / (1000000 + $1)))
    assert_equal "$(disk_bytes mounted/disk.img)" $((usable / MIB * MIB)) \
        "size of the disk"
    cmp -n $((3 * MIB)) image mounted/disk.img
    rm mounted/disk.img
    sync -f mounted
}

check 55000
check 0 --fs-overhead=0
check 200000 --fs-overhead=0.2
