#!/bin/bash
# With one percent of all 4 KiB blocks changed at random, --delta sends hardly
# more than these, with both I/O engines, to files and to devices of 512 and
# 4096 byte sectors.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/../fault/lib_resume.sh"
require python3

SIZE=$((24 * MIB))

change() # BYTES COUNT SEED
{
    "$TESTS/tools/scatter.py" image "$1" "$2" "$3"
}

update() # DEST PER_MILLE [OPTION...]: of the disk, on the wire, at most
{
    local side

    ! cmp -s -n $SIZE image "$1" || fail "nothing has changed"
    start_target "$1" --delta "${@:3}"
    run_source image
    wait_target
    assert_status source 0
    assert_status target 0
    assert_digests_equal
    assert_same image "$1" $SIZE
    for side in source target; do
        [ "$(count_of $side wire_bytes)" -le $((SIZE / 1000 * $2)) ] ||
            fail "$(count_of $side wire_bytes) bytes on the wire of $SIZE"
        assert_equal "$(count_of $side reconnects)" 0 "reconnects"
    done
}

scattered() # DEST [OPTION...]: a hundredth of all blocks has changed
{
    change 4096 $((SIZE / 4096 / 100)) $((seed++))
    update "$1" 15 "${@:2}"
}

seed=1
make_dense image $SIZE
cp image older
scattered older --io-engine=threads
SOURCE_WITH+=(--digest-algorithm sha256)
scattered older
change 512 60 $((seed++)) # within as many blocks
update older 15
# Where nearly every leaf has some, and where no block is as it was.
change 4096 $((SIZE / 4096 / 8)) $((seed++))
update older 140
make_dense image $SIZE $((seed++))
update older 1020

# Of a size that is no whole block, the last of which has changed.
SIZE=$((SIZE - 3 * 4096 - 3 * 512))
truncate -s $SIZE image
cp image older
put_noise image $((SIZE - 100)) 100 $((seed++))
scattered older

[ "$(id -u)" = 0 ] || exit 0
truncate -s $((SIZE + 3 * 4096 + 3 * 512)) older
attach older
scattered "$LOOP"
detach "$LOOP"
attach older --sector-size 4096
scattered "$LOOP" --io-engine=threads
