#!/bin/bash
# A target with a valid certificate that breaks the protocol ends the source
# with one clear error, which the target receives.
. "$(dirname "$0")/../func/lib.sh"

evil() # SIN: an evil target is up
{
    start_helper evil "$TOOLS/evil_target" "$1" "$CERTS/target.crt" \
        "$CERTS/target.key" "$CERTS/ca.crt"
    SOURCE_DIALS=$HELPER_ADDRESS
    SOURCE_WITH=(--lanes=1 --retry-for=off)
    [ "$1" != silence ] || SOURCE_WITH+=(--dead-peer-timeout=2s)
    run_source "${2:-image}"
}

sin() # SIN STATUS REGEX [IMAGE]
{
    evil "$1" "${4:-image}"
    assert_status source "$2"
    assert_log source "source: .*($3)"
    refute_log source '100 ?%'
}

sin_is_told() # as sin(): and the target hears of it
{
    sin "$@"
    wait_process $HELPER_PID "evil target" || fail "$1: $(cat evil.log)"
    assert_log evil "heard error $2: .*($3)"
}

make_empty image $((3 * MIB))
make_dense large $((32 * MIB)) # more than the network swallows
evil none
assert_status source 0
wait_process $HELPER_PID "evil target"
assert_log evil 'heard BYE'

sin_is_told unknown-message 21 'unknown message type'
sin_is_told long-message 21 'payload too long'
sin_is_told trailing-garbage 21 'unexpected bytes at the end'
sin_is_told too-many-lanes 21 'planned 2 lanes'
sin_is_told smaller-disk 21 'a disk of 3145216 bytes'
sin_is_told codecs-not-offered 21 'in a way that was not offered, 0x80000001'
sin_is_told go-first 21 'sent GO out of turn'
sin_is_told plan-twice 21 'sent PLAN out of turn'
sin_is_told have-outside 21 'HAVE'
sin_is_told have-twice 21 'HAVE for 1 chunks from 1: they were announced before'
sin_is_told have-other-kind 21 'HAVE .*another length'
make_empty sparse $((6 * GIB))
sin_is_told leaves-unasked 21 'sent LEAVES out of turn'
sin_is_told parts-twice 21 'LEAVES .*twice, or too many' sparse
sin_is_told leaves-ahead 21 'LEAVES .*too far ahead' sparse
sin_is_told leaves-bare 21 'LEAVES .*without the sums that PLAN named' sparse
sin_is_told sums-of-nothing 21 'planned sums of chunks that it will not tell'
sin_is_told done-early 21 'sent DONE out of turn' large
sin_is_told wrong-root 14 'digest differs'
# It says it holds everything: it is sent everything all the same, and is not
# believed when it says that the copy is made.
sin_is_told claims-all 14 'digest differs' large
assert_log source 'holds 32 of 32 chunks already'
assert_log source 'flushing .*32 MiB/32 MiB'
sin silence 75 'no sign of life|no answer'
sin hang-up 75 'connection lost|closed the connection'
sin unknown-kind 40 'a reason of the future'

evil control-characters
[ "$SOURCE_STATUS" != 0 ] || fail "success after an error"
refute_log source '^source: all is well'
! grep -q $'\033' source.log || fail "the peer drove our terminal"
