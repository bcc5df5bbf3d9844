#!/bin/bash
# An image is cloned between all filesystems that this kernel has: ext4, xfs
# with reflink, btrfs with and without compression, tmpfs, FUSE without
# SEEK_HOLE, overlay.
. "$(dirname "$0")/lib.sh"
require_loop
require mkfs.ext4 mkfs.xfs mkfs.btrfs

SIZE=$((24 * MIB))
places=()
missing=()

skipped() # NAME WHY
{
    missing+=("$1: $2")
}

add_made() # NAME MKFS-COMMAND...: a new filesystem on a loop mount
{
    local name=$1

    make_empty "$name.volume" $((320 * MIB))
    shift
    "$@" "$name.volume" >mkfs.log 2>&1 || fail "$* $(cat mkfs.log)"
    add_mount "$name" "$name.volume" -o "${OPTIONS:-loop}"
}

add_mount() # NAME DEVICE MOUNT-OPTION...
{
    mkdir -p "$1"
    if mount "${@:3}" "$2" "$1" 2>mount.err; then
        at_exit unmount "$1"
        places+=("$1")
    else
        skipped "$1" "$(cat mount.err)"
    fi
}

add_made ext4 mkfs.ext4 -q -F
add_made xfs mkfs.xfs -q -m reflink=1
add_made btrfs mkfs.btrfs -q
OPTIONS=loop,compress-force=zlib add_made btrfs-zlib mkfs.btrfs -q
add_mount tmpfs none -t tmpfs -o size=320m
mkdir -p lower upper work
add_mount overlay none -t overlay -o lowerdir=lower,upperdir=upper,workdir=work
[ ${#places[@]} -ge 2 ] || skip "only ${places[*]} here: ${missing[*]}"

make_sparse image $SIZE
for from in "${places[@]}"; do
    cp --sparse=always image "$from/image"
    for to in "${places[@]}"; do
        clone "$from/image" "$to/copy"
        assert_same image "$to/copy" $SIZE
        refute_log source 'reading its holes'
        [ "$to" = btrfs-zlib ] || [ "$from" = btrfs-zlib ] ||
            assert_allocation image "$to/copy"
        grep -E '^I/O mode' target.out | sed "s/^/$from -> $to: /"
        rm "$to/copy"
    done
done

# Space that is reserved is no lie: reading it would take as long as data.
for place in "${places[@]}"; do
    [ "$place" != tmpfs ] || continue # does not tell it from data
    fallocate -l $SIZE "$place/reserved" 2>/dev/null || continue
    dd if=image of="$place/reserved" bs=$MIB count=8 conv=notrunc,fsync \
        status=none
    "$SOURCE" --map "$place/reserved" >map.out 2>source.log
    refute_log source 'reading its holes'
    rm "$place/reserved"
done

# A filesystem in user space, on either side and on both.
if [ -e /dev/fuse ] && command -v fuse2fs >/dev/null; then
    make_empty fuse.volume $((64 * MIB))
    mkfs.ext4 -q -F fuse.volume
    mkdir -p fuse
    fuse2fs fuse.volume fuse -o fakeroot >fuse.err 2>&1 || fail "$(cat fuse.err)"
    at_exit unmount fuse
    for pair in ext4/image:fuse/image fuse/image:fuse/copy fuse/copy:ext4/copy; do
        clone "${pair%:*}" "${pair#*:}"
        assert_same image "${pair#*:}" $SIZE
        assert_allocation image "${pair#*:}"
    done
    rm ext4/copy
else
    skipped fuse2fs "no /dev/fuse or fuse2fs"
fi

# FUSE again: a disk that a user-space server keeps.
if [ -e /dev/fuse ] && command -v nbdfuse nbdkit >/dev/null; then
    cp image fuse.backing
    faulty_up fuse.backing slow 64G
    clone "$FAULTY_DISK" "ext4/from-fuse"
    assert_same image ext4/from-fuse $SIZE
else
    skipped fuse "no /dev/fuse, nbdfuse or nbdkit"
fi
[ ${#missing[@]} = 0 ] || printf 'not here: %s\n' "${missing[@]}"
