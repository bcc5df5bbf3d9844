#!/bin/bash
# With 64 MiB of memory and a target disk of 20 MB/s, a clone finishes, and no
# process is killed.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib_memory.sh"
require mkfs.ext4
refuse_tmpfs

make_memory_group source $((64 * MIB))
SOURCE_UNDER=("${UNDER_LIMIT[@]}")
make_memory_group target $((64 * MIB))
TARGET_UNDER=("${UNDER_LIMIT[@]}")

limited() # MODE SEED DEST: clone new data with both sides in groups of 64 MiB
{
    SOURCE_WITH=(--io-mode="$1") TARGET_WITH=(--io-mode="$1" --overwrite)
    make_dense data $((80 * MIB)) "$2"
    clone data "$3"
}

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
