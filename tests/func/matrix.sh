#!/bin/bash
# {file, block} x {file, block} x {512, 4096} x {off, falloc, full} x {fresh,
# dirty} x {dense, sparse, empty}: bytes, size and allocation of each clone.
. "$(dirname "$0")/lib.sh"
require_loop

BYTES=$((6 * MIB + 4096)) # of the disk
ROOM=$((8 * MIB))         # of the device it goes to

cell() # FROM TO SECTOR PREALLOCATE AGE CONTENT
{
    local image=image.$6 dest=copy

    [ "$1" = file ] || image=${devices[$6.$3]}
    [ "$2" = file ] || dest=${devices[dest.$3]}
    "prepare_$2" "$dest" "$5"
    TARGET_WITH=(--preallocate="$4" --overwrite)
    clone "$image" "$dest"
    assert_same "$image" "$dest" $BYTES
    "check_$2" "image.$6" "$4"
}

prepare_file() # DEST AGE
{
    rm -f "$1"
    [ "$2" = fresh ] || cp dirt "$1"
}

prepare_block() # DEST AGE
{
    if [ "$2" = fresh ]; then
        blkdiscard -z "$1"
    else
        dd if=dirt of="$1" bs=1M status=none
    fi
}

check_file() # IMAGE PREALLOCATE
{
    if [ "$2" = off ]; then
        assert_allocation "$1" copy
    else
        [ "$(allocated_bytes copy)" -ge $BYTES ] || fail "not allocated"
    fi
}

check_block() { :; }

make_dirty dirt $ROOM
make_dense image.dense $BYTES
make_sparse image.sparse $BYTES
make_empty image.empty $BYTES
declare -A devices
for sector in 512 4096; do
    for content in dense sparse empty; do
        attach image.$content -b $sector
        devices[$content.$sector]=$LOOP
    done
    attach_new dest.$sector $ROOM -b $sector
    devices[dest.$sector]=$LOOP
done

for cell in {file,block}\ {file,block}\ {512,4096}\ {off,falloc,full}\ {fresh,dirty}\ {dense,sparse,empty}; do
    # Sectors mean nothing between two files.
    [[ $cell != "file file 4096"* ]] || continue
    echo "$cell"
    # shellcheck disable=SC2086
    cell $cell
done
