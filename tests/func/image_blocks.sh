#!/bin/bash
# A VDI, VHD, VHDX and VMDK of every kind that is read: the raw disk's bytes
# and digest arrive, by network and by --to, also from gzip and xz.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
require qemu-img gzip xz jq

size=$((24 * MIB))
make_sparse disk.raw $size
clone disk.raw copy.raw
digest=$(digest_of source)
rm copy.raw

check_copy() # NAME
{
    assert_same disk.raw copy.raw $size
    assert_equal "$(digest_of source)" "$digest" "digest of $1"
    rm copy.raw
}

# What libyal reads, where it is installed; it has nothing for a VDI.
second_opinion() # FORMAT IMAGE
{
    local library=vhdi

    [ "$1" != vmdk ] || library=vmdk
    [ "$1" != vdi ] && [ -x "$TOOLS/read_image" ] || return 0
    "$TOOLS/read_image" $library "$2" >libyal.raw
    cmp disk.raw libyal.raw || fail "libyal reads $2 otherwise"
    rm libyal.raw
}

arrives() # FORMAT SUB-FORMAT QEMU-FORMAT [OPTIONS]
{
    local image=disk.$1

    rm -f "$image"
    qemu-img convert -O "$3" ${4:+-o "$4"} disk.raw "$image"
    SOURCE_WITH=()
    clone "$image" copy.raw
    assert_log source "$1 \($2\)"
    assert_allocation disk.raw copy.raw
    check_copy "$image"
    SOURCE_WITH=(--format="$1" --lanes=2 --io-engine=threads)
    clone "$image" copy.raw
    check_copy "$image of its name"
    "$SOURCE" --inspect --json "$image" >inspect.json
    assert_equal "$(jq -r '.format, .virtual_bytes' inspect.json)" \
        "$1"$'\n'$size "inspected $image"
    "$SOURCE" "$image" --to copy.raw -q >source.out 2>source.log </dev/null
    assert_same disk.raw copy.raw $size
    rm copy.raw
    second_opinion "$1" "$image"

    gzip -1 -c "$image" >packed.gz
    xz -0 -T2 --block-size=2MiB -c "$image" >packed.xz
    for packed in packed.gz packed.xz; do
        "$SOURCE" $packed --format="$1" --to copy.raw >source.out \
            2>source.log </dev/null
        assert_same disk.raw copy.raw $size
        rm copy.raw
    done
}

arrives vdi dynamic vdi
arrives vdi fixed vdi static=on
arrives vhd dynamic vpc force_size=on
arrives vhd fixed vpc subformat=fixed,force_size=on
arrives vhdx dynamic vhdx
arrives vhdx fixed vhdx subformat=fixed
arrives vmdk monolithicSparse vmdk
arrives vmdk streamOptimized vmdk subformat=streamOptimized

# One of another format than it is said to be, and one that is cut off.
breaks() # IMAGE WORDS [OPTION...]
{
    SOURCE_STATUS=0
    "$SOURCE" "$1" --to copy.raw "${@:3}" -q >source.out 2>source.log \
        </dev/null || SOURCE_STATUS=$?
    assert_status source 13
    assert_log source "$2"
    [ ! -e copy.raw ] || fail "$1 arrived"
}
breaks disk.vdi 'not a VHDX' --format=vhdx
breaks disk.vhdx 'not a VDI' --format=vdi
breaks disk.raw 'not a VHD' --format=vhd
breaks disk.raw 'not a sparse VMDK' --format=vmdk
for format in vdi vhd vhdx vmdk; do
    truncate -s -$((8 * MIB)) disk.$format
    breaks disk.$format 'truncated|neither begins nor ends' --format=$format
done
