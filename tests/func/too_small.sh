#!/bin/bash
# A target that cannot hold the disk is refused at once, with the same text and
# numbers on both sides.
. "$(dirname "$0")/lib.sh"
require_loop

make_empty image $((100 * MIB))
put_noise image 0 $MIB

refused() # DEST REGEX
{
    local source target

    start_target "$1"
    SECONDS=0
    run_source image
    wait_target
    [ $SECONDS -le 15 ] || fail "it took $SECONDS s to refuse"
    assert_both_fail 10 "$2"
    # The numbers and what to do about them are one sentence.
    source=$(grep -oE 'disk of .* does not fit.*' source.log)
    target=$(grep -oE 'disk of .* does not fit.*' target.log)
    assert_equal "$source" "$target" "the source's words"
}

attach_dirty small $((99 * MIB))
device=$LOOP
refused "$device" "$((100 * MIB)) .*$((99 * MIB)).*short by $MIB"
cmp -n $MIB "$device" <(head -c $MIB /dev/zero | tr '\0' '\245') ||
    fail "the device was written to"

truncate -s 64M volume
mkfs.ext4 -q volume
mount_at mounted volume -o loop
refused mounted/disk.img "$((100 * MIB)) .*short by [0-9]+.*at least [0-9]+"
[ -z "$(find mounted -name '*disk.img*')" ] || fail "something was left"
