#!/bin/bash
# With --delta on either side only what differs from the older copy is sent, on
# files and devices. --digest of the copy is the same.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/../fault/lib_resume.sh"

SIZE=$((128 * MIB))

changed() # COPY: one chunk of a hundred differs from it
{
    put_noise image $((5 * MIB + 4096)) 4096 11
    put_noise image $((77 * MIB)) $((64 * KIB)) 12
    dd if=/dev/zero of=image bs=1M seek=90 count=1 conv=notrunc status=none
    cmp -s image "$1" && fail "nothing has changed"
    return 0
}

update() # DEST [OPTION...]
{
    start_target "$@"
    run_source image
    wait_target
    assert_status source 0
    assert_status target 0
    assert_digests_equal
    assert_same image "$1" $SIZE
    [ "$(count_of source data_bytes)" -le $((3 * MIB)) ] ||
        fail "sent $(count_of source data_bytes) bytes of $SIZE"
    [ "$(count_of target wire_bytes)" -le $((SIZE * 15 / 1000)) ] ||
        fail "$(count_of target wire_bytes) bytes on the wire"
    [ "$(count_of source wire_bytes)" -le $((SIZE * 15 / 1000)) ] ||
        fail "$(count_of source wire_bytes) bytes on the wire"
}

scatter() # COPY: a hundredth of it in 20 places, each within a leaf
{
    local i

    for ((i = 0; i < 20; i++)); do
        put_noise image $(((i * 6 * MIB + (i * 7 % 16) * 65536))) \
            $((i % 2 ? 65536 : 4096)) $((i + 20))
    done
    cmp -s image "$1" && fail "nothing has changed"
    return 0
}

digest_only() # PROGRAM DISK [OPTION...]
{
    "$1" --digest "${@:2}"
}

make_dense image $SIZE
cp image older
changed older
update older --delta
scatter older
SOURCE_WITH+=(--delta)
update older --overwrite
SOURCE_WITH=("${SOURCE_WITH[@]/--delta/--lanes=2}")

assert_equal "$(digest_only "$SOURCE" image)" "$(digest_of source)" "digest"
assert_equal "$(digest_only "$TARGET" older)" "$(digest_of source)" "digest"
[ "$(digest_only "$TARGET" older --size 100MiB)" != "$(digest_of source)" ] ||
    fail "--size does not matter"

# Nothing there, or smaller, or larger: a clone like any other, or nearly.
rm older
start_target older --delta
run_source image
wait_target
assert_status target 0
assert_same image older $SIZE
truncate -s 120M older
start_target older --delta
run_source image
wait_target
assert_status target 0
assert_same image older $SIZE
[ "$(count_of source data_bytes)" -le $((9 * MIB)) ] || fail "not a delta"

if [ "$(id -u)" = 0 ]; then
    attach older
    device=$LOOP
    put_noise image $((9 * MIB)) 4096 13
    update "$device" --delta --yes
    put_noise image $((10 * MIB)) 4096 14
    update "$device" --resume compare --yes
    put_noise image $((11 * MIB)) 4096 15
    SOURCE_WITH+=(--delta)
    update "$device" --yes
fi
