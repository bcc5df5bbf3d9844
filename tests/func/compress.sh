#!/bin/bash
# With --compress, compressed data arrives equal and sparse with every I/O
# engine and number of lanes; incompressible data is sent as it is. Both sides
# report the same counters. A target may refuse compression, and auto then does
# without.
. "$(dirname "$0")/lib.sh"
require jq
BYTES=$((40 * MIB + 4096 + 512))

number() # SIDE FIELD
{
    jq -r "select(.event == \"summary\").$2" "$1.out"
}

put_text() # FILE OFFSET BYTES
{
    seq -f "line %.0f of a text that repeats itself" 1 "$3" | head -c "$3" |
        dd of="$1" bs=64K oflag=seek_bytes seek="$2" iflag=fullblock \
            conv=notrunc status=none || [ "${PIPESTATUS[2]}" = 0 ]
}

# Text, holes, noise and text beside noise, and a short end.
make_mixed() # FILE
{
    make_empty "$1" $BYTES
    put_text "$1" 0 $((8 * MIB))
    put_text "$1" $((10 * MIB + 64 * KIB)) $((200 * KIB))
    put_noise "$1" $((10 * MIB + 512 * KIB)) $((100 * KIB)) 3
    put_noise "$1" $((12 * MIB)) $((4 * MIB)) 4
    put_text "$1" $((20 * MIB)) 4096
    put_text "$1" $((30 * MIB)) $((BYTES - 30 * MIB))
}

check() # SOURCE-OPTION...
{
    SOURCE_WITH=(--log-format json "$@")
    clone image copy
    assert_same image copy $BYTES
    assert_allocation image copy
    rm copy
}

assert_packed()
{
    local plain packed side

    for side in source target; do
        plain=$(number $side compressed_bytes)
        packed=$(number $side compressed_to_bytes)
        ((plain > 18 * MIB && packed < plain / 4)) ||
            fail "$side packed $plain bytes to $packed"
        assert_equal "$plain $packed" "$(number source compressed_bytes) $(
            number source compressed_to_bytes)" "$side and source"
        # The rest is the noise.
        [ "$(number $side wire_bytes)" -lt $((packed + 5 * MIB)) ] ||
            fail "$side: $(number $side wire_bytes) bytes on the wire"
    done
}

refute_packed()
{
    assert_equal "$(number source compressed_bytes)" 0 "packed by the source"
    assert_equal "$(number target compressed_bytes)" 0 "packed for the target"
}

TARGET_WITH=(--log-format json)
make_mixed image
for engine in uring threads; do
    [ $engine = threads ] || grep -q 0 /proc/sys/kernel/io_uring_disabled \
        2>/dev/null || continue
    TARGET_WITH=(--log-format json "--io-engine=$engine")
    check --compress=zstd "--io-engine=$engine" --lanes=1
    assert_packed
done
TARGET_WITH=(--log-format json --lanes=3)
check --compress=zstd --lanes=3
assert_packed
check --compress=off
refute_packed

# What does not shrink is sent as it is, byte for byte.
make_dense dense $((8 * MIB))
SOURCE_WITH=(--log-format json --compress=zstd)
clone dense copy
refute_packed
cmp dense copy
rm copy

# A rate is a slow network, too: auto notices within a second or so.
make_empty image $BYTES
put_text image 0 $BYTES
check --rate=10MiB
[ "$(number source compressed_bytes)" -gt 0 ] || fail "auto did not compress"
assert_log source 'compressing, as the network takes only'

# A target that does not want it.
TARGET_WITH=(--log-format json --compress=off)
check --compress=auto --rate=30MiB
refute_packed
TARGET_WITH=()
SOURCE_WITH=()
one_try
start_target copy --compress=off
run_source image --compress=zstd
wait_target
assert_both_fail 2 'the target takes no compressed data'
[ ! -e copy ] || fail "a copy was made"
