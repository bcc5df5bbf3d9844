#!/bin/bash
# No file that a clone writes besides its disk can be the disk: options and
# variables that name a file, stdout, stderr and --progress=FD are refused with
# status 2 if they are IMAGE or DEST by any name, before anything is opened.
. "$(dirname "$0")/lib.sh"
. "$TESTS/func/lib_cdi.sh"
. "$TESTS/func/lib_cloner.sh"

make_dense kept 307200
mkdir dir

renew()
{
    rm -rf image image.* copy copy.* dir/*
    cp kept image
    ln image image.hard
    ln -s image image.soft
    ln -s ../image dir/link
    ln -s copy copy.soft # which is not there yet
    ln -s image image.chunks-of.chunks
}

assert_kept() # WHAT
{
    cmp kept image || fail "$1: the source is lost"
    [ ! -e copy ] || fail "$1: something was made of DEST"
}

# IMAGE is "image" and DEST "copy", and SIDE is one of them by another name.
assert_refused() # SIDE COMMAND...
{
    local side=$1 status=0

    shift
    timeout $LONGEST "$@" >out 2>log || status=$?
    [ $status = 2 ] || fail "$*: status $status, not 2: $(tail -n 1 log)"
    grep -qE 'is the disk|has no effect with --to' log || fail "$*: no word of why: $(cat log)"
    assert_kept "$*"
}

options=(--receipt --termination-log --rate-file --changed-extents --code-file
    --psk-file)
for option in "${options[@]}"; do
    variable=CLONEWIRE_$(tr a-z- A-Z_ <<<"${option#--}")
    renew
    for side in image "$PWD/image" image.hard image.soft dir/link dir/../image \
        copy copy.soft "$PWD/copy" dir/../copy; do
        assert_refused "$side" "$SOURCE" image --to copy "$option" "$side"
    done
    assert_refused image env "$variable=image" "$SOURCE" image --to copy
    assert_refused image env "$variable=image" CLONEWIRE_IMAGE=image \
        CLONEWIRE_TO=copy "$SOURCE"
    assert_refused image "$SOURCE" image 127.0.0.1:1 "$option" image
done
# Its digests go to NAME.chunks.
assert_refused image "$SOURCE" image --to copy --receipt image.chunks-of
assert_refused image "$SOURCE" --inspect image --termination-log image

# Also where there is another mistake, whose line would go there.
renew
status=0
"$SOURCE" image --to copy --termination-log image --lanes none 2>/dev/null ||
    status=$?
assert_equal $status 2 "status of two mistakes"
assert_kept "two mistakes"

# On the target the disk is DEST, which may be there.
for option in --receipt --termination-log --state-dir --psk-file; do
    for side in image image.hard image.soft "$PWD/image"; do
        assert_refused "$side" "$TARGET" image --overwrite \
            --listen 127.0.0.1:0 "$option" "$side"
    done
    assert_refused copy "$TARGET" copy --listen 127.0.0.1:0 "$option" copy
done

# What the programs print, without touching it to say so.
renew
for fd in 1 2; do
    for side in image image.hard; do
        status=0
        eval "\"\$SOURCE\" image --to copy $fd>>$side" >/dev/null 2>&1 ||
            status=$?
        assert_equal $status 2 "status where descriptor $fd is $side"
        assert_kept "descriptor $fd is $side"
    done
done
status=0
"$SOURCE" image --to copy --progress 7 7>>image 2>log || status=$?
assert_equal $status 2 "status where --progress is the disk"
assert_kept "--progress"
status=0
"$SOURCE" - --to copy --receipt image.soft <image 2>log || status=$?
assert_equal $status 2 "status where stdin is the disk"
assert_kept "stdin"

# CDI's have one such file.
mkdir volume
cp kept volume/disk.img
for volume in "block $PWD/image" "filesystem $PWD/volume"; do
    for side in "$PWD/image" "$PWD/volume/disk.img"; do
        case $volume-$side in *image-*disk.img | *volume-*image) continue ;; esac
        CLONER_ENV=(CLONEWIRE_TERMINATION_LOG="$side")
        SERVER_ADDRESS=127.0.0.1:1
        # shellcheck disable=SC2086 # two words
        run_cloner $volume
        assert_status source 255
        assert_log source 'is the disk'
        assert_kept "cdi-cloner"
        cmp kept volume/disk.img
    done
done
SERVER_ENV=(CLONEWIRE_TERMINATION_LOG="$PWD/image.soft")
launch_server "$PWD/image"
wait_target
assert_status target 1
assert_log target 'is the disk'
assert_kept "cdi-uploadserver"

# Beside the disk, not over it.
"$SOURCE" image --to copy -q --receipt image.receipt --termination-log word
cmp kept copy
rm copy

# A loop device and the file below it are one disk; so are a disk and its
# partition.
[ "$(id -u)" = 0 ] || exit 0
truncate -s 16M below
loop=$(losetup -f --show below) || skip "no loop devices"
at_exit losetup -d "$loop"
before=$(sha256sum <below)
for option in --receipt --termination-log --state-dir; do
    for pair in "$loop below" "below $loop" "$loop $loop"; do
        read -r disk side <<<"$pair"
        status=0
        timeout $LONGEST "$TARGET" "$disk" --overwrite --yes \
            --listen 127.0.0.1:0 "$option" "$side" >out 2>log || status=$?
        assert_equal $status 2 "status of $option $side over $disk"
        assert_equal "$(sha256sum <below)" "$before" "below, after $option"
    done
done
CLONER_ENV=(CLONEWIRE_TERMINATION_LOG="$loop")
run_cloner block "$PWD/below"
assert_status source 255
assert_equal "$(sha256sum <below)" "$before" "below, after cdi-cloner"
