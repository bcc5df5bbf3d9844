#!/bin/bash
# A HELLO for a disk that no volume holds is refused with status 10 and the
# numbers, before any memory is taken for it.  Neither that, nor a failed
# handshake, nor a JOIN of no session ends a target, with --once either; a disk
# that is only too large for the volume ends it.
. "$(dirname "$0")/../func/lib.sh"

peak_kib()
{
    sed -n 's/^VmHWM:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$TARGET_PID/status"
}

attack() # SIN REGEX
{
    "$TOOLS/evil_source" "$1" "$TARGET_ADDRESS" "$CERTS/source.crt" \
        "$CERTS/source.key" "$CERTS/ca.crt" >evil.log 2>&1 ||
        fail "$1: the attack was not made: $(cat evil.log)"
    assert_log evil "$2"
    is_running "$TARGET_PID" || fail "$1 has ended the target"
}

hold_out() # [TARGET-OPTION...]
{
    local before

    start_target copy "$@"
    before=$(peak_kib)
    for ((i = 0; i < 4; i++)); do
        attack absurd-disk "heard error 10: .*1152921504606846976 bytes does not fit"
    done
    [ $(($(peak_kib) - before)) -le $((16 * KIB)) ] ||
        fail "the target took $(($(peak_kib) - before)) KiB for a HELLO"
    attack join-first 'heard error 21: .*wrong session secret'
    attack wrong-version 'heard error 21: .*version 99'
    SOURCE_IDENTITY=()
    read -ra SOURCE_IDENTITY < <(identity source-stranger)
    run_source image --retry-for off
    assert_status source 20
    is_running "$TARGET_PID" || fail "a stranger has ended the target"
    read -ra SOURCE_IDENTITY < <(identity source)
    run_source image
    wait_target
    assert_status source 0
    assert_status target 0
    assert_same image copy $((4 * MIB))
    rm copy
}

make_dense image $((4 * MIB))
hold_out
assert_log target 'turned away .*disk of 1152921504606846976 bytes does not fit: needs [0-9]+ .*volume has [0-9]+ .*short by [0-9]+'
hold_out --once
# There a sparse file of any size would fit.
start_target copy --overcommit
attack absurd-disk 'heard error 10: .*up to 1125899906842624 bytes'
stop_process "$TARGET_PID"

make_empty huge $((10 * 1024 * GIB))
start_target copy --once
run_source huge
wait_target
assert_both_fail 10 'disk of [0-9]+ bytes does not fit'
