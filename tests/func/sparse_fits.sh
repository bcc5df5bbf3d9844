#!/bin/bash
# A sparse disk fits a volume of the size that CDI's controller computes for it,
# although the filesystem leaves less than the disk's size free. The log says
# so. A disk whose data does not fit is refused before any of it is sent.
. "$(dirname "$0")/lib.sh"
. "$TESTS/func/lib_cdi.sh"
. "$TESTS/func/lib_cloner.sh"
require_loop
require mkfs.ext4

make_volume() # DISK-BYTES: the disk and 6 %, in whole sectors
{
    truncate -s $((($1 * 106 / 100 / 4096 + 1) * 4096)) volume
    mkfs.ext4 -q volume
    mount_at mounted volume -o loop
}

server_env FILESYSTEM_OVERHEAD=0.06 CLONEWIRE_TERMINATION_LOG="$PWD/target.term"
make_empty image $((64 * MIB))
put_noise image 0 $((2 * MIB))
mkdir files
ln image files/disk.img
make_volume $((64 * MIB))
[ "$(stat -f -c '%a * %S' mounted | { read -r n; echo $((n)); })" -lt \
    $((64 * MIB)) ] || fail "the volume has room for all of the disk"

# Over clonewire/1 and HTTP, from a file, a device and a volume's file; an upload.
attach image
for http in false true; do
    cloner_env CLONEWIRE_HTTP_ONLY=$http
    for from in "block $LOOP" "filesystem $PWD/files"; do
        start_server "$PWD/mounted/disk.img"
        SERVER_ADDRESS=$TARGET_ADDRESS
        # shellcheck disable=SC2086 # two words
        run_cloner $from
        assert_complete
        wait_target
        assert_status target 0
        cmp image mounted/disk.img
        [ "$from$http" = "filesystem $PWD/filestrue" ] ||
            assert_log target 'a sparse disk of 67108864 bytes, where [0-9]+ are'
        rm mounted/disk.img
    done
done
start_server "$PWD/mounted/disk.img"
upload image
assert_answer 200
wait_target
cmp -n $((64 * MIB)) image mounted/disk.img
rm mounted/disk.img

# Reserved, all of it must be free.
TARGET_WITH=(--fs-overhead=0.06 --preallocate=falloc)
start_target mounted/disk.img
run_source image
wait_target
assert_both_fail 10 'disk of 67108864 bytes does not fit'

# More data than is free.
put_noise image 0 $((30 * MIB))
fallocate -l 35M mounted/ballast
TARGET_WITH=(--fs-overhead=0.06)
start_target mounted/disk.img
run_source image
wait_target
assert_both_fail 10 'does not fit: its data takes 31457280, volume has [0-9]+ free'
[ ! -e mounted/disk.img ] || fail "it was made"
