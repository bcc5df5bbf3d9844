#!/bin/bash
# A file whose name has 255 bytes, as many as a filesystem takes, is a target:
# two that differ only in their last byte do not share what is beside them.
. "$(dirname "$0")/lib.sh"

make_dense image $((3 * MIB))
make_dense other $((2 * MIB)) 2
name=$(printf 'ä%.0s' {1..127})
for end in a b; do
    "$SOURCE" image --to "$name$end" -q
    cmp image "$name$end" || fail "the copy named …$end differs"
done
clone other "$name"c
cmp other "$name"c || fail "the copy over the network differs"
leftover=$(find . -name '.?*clonewire*')
[ -z "$leftover" ] || fail "left: $leftover"
