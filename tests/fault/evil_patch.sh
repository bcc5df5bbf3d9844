#!/bin/bash
# A source that lies about the blocks of a chunk that stay: one clear error on
# both sides, and an unchanged older copy.
. "$(dirname "$0")/../func/lib.sh"
one_try

make_dense older $((3 * MIB))

sin() # SIN STATUS REGEX: the target's, which the source is told
{
    rm -f copy .copy.clonewire-*
    cp older copy
    start_target copy --lanes=1 --delta
    "$TOOLS/evil_source" "$1" "$TARGET_ADDRESS" "$CERTS/source.crt" \
        "$CERTS/source.key" "$CERTS/ca.crt" >evil.log 2>&1 ||
        fail "$1: the sin was not committed: $(cat evil.log)"
    wait_target
    assert_status target "$2"
    assert_log target "target: .*($3)"
    assert_log evil "heard error $2: .*($3)"
    [ ! -e copy ] || fail "$1: a copy was made"
    cmp older .copy.clonewire-partial || fail "$1: it was changed"
}

sin patch-missing 21 'at 4096: SAME of parts of leaves without PATCH'
sin patch-inside 21 'at 0: PATCH inside a chunk'
sin patch-across 21 'at 0: it is longer than the rest of its chunk'
sin patch-of-nothing 21 'at 0: SAME inside a chunk'
sin patch-lies 75 'chunk at 0: .*; retrying with 64 KiB leaves'
