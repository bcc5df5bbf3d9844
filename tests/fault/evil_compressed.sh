#!/bin/bash
# A source with a valid certificate that sends invalid compressed data ends the
# job: one clear error on both sides, and no copy.
. "$(dirname "$0")/../func/lib.sh"
one_try

evil() # SIN [TARGET-OPTION...]
{
    start_target copy "${@:2}"
    "$TOOLS/evil_source" "$1" "$TARGET_ADDRESS" "$CERTS/source.crt" \
        "$CERTS/source.key" "$CERTS/ca.crt" >evil.log 2>&1 ||
        fail "$1: the sin was not committed: $(cat evil.log)"
    wait_target 10
}

sin() # SIN REGEX [TARGET-OPTION...]
{
    evil "$1" "${@:3}"
    assert_status target 21
    assert_log target "target: .*($2)"
    assert_log evil "heard error 21: .*($2)"
    [ ! -e copy ] || fail "$1: a copy was made"
}

# The honest way, to know that the rest fails for its sins.
evil zstd
assert_status target 0
assert_log evil 'heard DONE'
cmp -n $((3 * MIB)) copy /dev/zero
rm copy

sin zstd-garbage 'at 0: 15 bytes of compressed data do not unpack'
sin zstd-longer 'at 0: [0-9]+ bytes of compressed data do not unpack'
sin zstd-shorter 'at 0: [0-9]+ bytes of compressed data do not unpack'
sin zstd-damaged 'at 0: [0-9]+ bytes of compressed data do not unpack'
sin zstd-two-frames 'at 0: [0-9]+ bytes of compressed data do not unpack'
sin zstd-no-gain 'outside the disk|off the grid'
sin zstd-across 'outside the disk|off the grid'
sin zstd 'at 0: compression was not agreed on' --compress=off
