#!/bin/bash
# Direct, dontcache and buffered I/O write the same bytes.
. "$(dirname "$0")/lib.sh"

make_sparse image $((20 * MIB + 512))

for mode in auto buffered dontcache direct; do
    [ $mode != dontcache ] || has_dontcache || continue
    SOURCE_WITH=(--io-mode="$mode") TARGET_WITH=(--io-mode="$mode")
    clone image copy
    assert_same image copy $((20 * MIB + 512))
    [ $mode != buffered ] || assert_log target "^I/O mode +$mode"
    rm copy
done
