#!/bin/bash
# A source with a valid certificate that breaks the protocol after HELLO ends
# the job: one clear error on both sides, and no copy.
. "$(dirname "$0")/../func/lib.sh"

sin() # SIN STATUS REGEX: the target's, which the source is told
{
    rm -f .copy.clonewire-* # what the sin before it left would be scanned
    start_target copy --lanes=2
    "$TOOLS/evil_source" "$1" "$TARGET_ADDRESS" "$CERTS/source.crt" \
        "$CERTS/source.key" "$CERTS/ca.crt" >evil.log 2>&1 ||
        fail "$1: the sin was not committed: $(cat evil.log)"
    wait_target 10
    assert_status target "$2"
    assert_log target "target: .*($3)"
    assert_log evil "heard error $2: .*($3)"
    [ ! -e copy ] || fail "$1: a copy was made"
}

honest() # SIN that is none after all
{
    start_target copy --lanes=2
    "$TOOLS/evil_source" "$1" "$TARGET_ADDRESS" "$CERTS/source.crt" \
        "$CERTS/source.key" "$CERTS/ca.crt" >evil.log 2>&1
    wait_target
    assert_status target 0
    assert_log evil 'heard DONE'
    cmp -n $((3 * MIB)) copy /dev/zero
    rm copy
}

# The honest ways, to know that the rest fails for its sins.
TARGET_WITH=(--retry-for=5s)
honest late-lane
assert_log evil 'lane: heard error 21: .*wrong session secret'
TARGET_WITH=()
one_try
honest none
honest wrong-secret
assert_log evil 'lane: heard error 21: .*wrong session secret'

sin lane-number 21 'lane 63 of a clone with 1 lanes'
sin lane-twice 21 'lane 0 came twice'
sin hello-twice 21 'sent HELLO out of turn'
sin frame-outside 21 'outside the disk'
sin frame-overflow 21 'outside the disk'
sin frame-across 21 'outside the disk'
sin frame-empty 21 'outside the disk'
sin frame-unknown 21 'bad frame: unknown frame type'
sin frame-garbage 21 'bad frame: not a frame'
sin frame-damaged 21 'bad frame: damaged header'
sin chunk-twice 21 'at 0: chunk came twice'
sin same-not-held 21 'at 0: .*does not hold these chunks'
sin same-leaf 21 'at 0: no leaves of this chunk were announced'
sin same-inside 21 'at 0: SAME inside a chunk'
sin patch-unagreed 21 'at 0: PATCH, but no sums were announced'
sin chunk-on-two-lanes 21 'at 0: chunk came twice'
sin chunk-gap 21 'at 8192: .*does not follow'
sin chunk-half 21 'at 1048576: .*does not follow'
sin chunk-missing 21 '1 chunks did not come'
sin after-end 21 'lane 0: bytes after END'
sin wrong-root 14 'digests differ'
sin half-frame 75 'connection lost|closed the connection'
sin lane-without-end 75 'connection lost|closed the connection'
