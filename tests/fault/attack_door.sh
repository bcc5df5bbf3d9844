#!/bin/bash
# Strangers at the port: connections that say nothing, or half of what they
# should, a storm of resets, and clients of the CA with lanes of no session.  A
# source still gets in at once, a lost connection comes back within 5 s, and
# memory stays small.
. "$(dirname "$0")/../func/lib.sh"
. "$(dirname "$0")/lib_resume.sh"
require python3
[ "$(ulimit -Hn)" -ge 4096 ] || skip "few descriptors are allowed"

flood() # COUNT KIND
{
    start_helper "flood-$2" python3 "$TESTS/tools/flood.py" \
        "$TARGET_ADDRESS" "$@"
}

join_again_and_again()
{
    while "$TOOLS/evil_source" join-first "$TARGET_ADDRESS" \
        "$CERTS/source-imposter.crt" "$CERTS/source-imposter.key" \
        "$CERTS/ca.crt"; do :; done
}

unix_ms() # MSG-REGEX: when the source logged it, of each line
{
    grep -E "$1" source.log | grep -oE '[0-9]{4}-[0-9-]+T[0-9:.]+Z' |
        while read -r at; do date -d "$at" +%s%3N; done
}

make_dense image $((32 * MIB))
TARGET_WITH+=(--once)
start_target copy
flood 2000 silent
flood 1000 half
flood 1 reset
for ((i = 0; i < 2; i++)); do
    join_again_and_again >"joins-$i.log" 2>&1 &
    at_exit stop_process $!
done

# In, and back again twice.
start_flaky cut $((6 * MIB)) 2
start_source image
wait_log source 'connected to' || fail "the source does not get in"
peak=$(sed -n 's/^VmHWM:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$TARGET_PID/status")
grep -qE '__(asan|tsan)_init' "$TARGET" || [ "$peak" -le $((64 * KIB)) ] ||
    fail "the target takes $peak KiB"
wait_source
wait_target
assert_status source 0
assert_status target 0
assert_same image copy $((32 * MIB))
[ "$(grep -c 'connecting again' source.log)" = 2 ] ||
    fail "it was not cut twice"
mapfile -t lost < <(unix_ms 'connecting again')
mapfile -t back < <(unix_ms 'connected to')
for i in 0 1; do
    took=$((back[i + 1] - lost[i]))
    [ $took -le 5000 ] || fail "back after $took ms, not within 5 s"
done
grep -q 'wrong session secret' joins-0.log || fail "no wrong JOIN was made"
# Refusals do not flood the log.
[ "$(grep -c 'refused a connection' target.log)" -le $((40 + SECONDS)) ] ||
    fail "$(grep -c 'refused a connection' target.log) lines of refusals"
