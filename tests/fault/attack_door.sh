#!/bin/bash
# Strangers at the port: connections that say nothing, or half of what they
# should, and a storm of resets.  A source still gets in at once, a lost
# connection comes back, probes are answered, and memory stays small.
. "$(dirname "$0")/../func/lib.sh"
. "$(dirname "$0")/lib_resume.sh"
require python3
[ "$(ulimit -Hn)" -ge 4096 ] || skip "few descriptors are allowed"

flood() # COUNT KIND
{
    start_helper "flood-$2" python3 "$TESTS/tools/flood.py" \
        "$TARGET_ADDRESS" "$@"
}

make_dense image $((32 * MIB))
TARGET_WITH+=(--once)
start_target copy
flood 2000 silent
flood 1000 half
flood 1 reset

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
# Refusals do not flood the log.
[ "$(grep -c 'refused a connection' target.log)" -le $((40 + SECONDS)) ] ||
    fail "$(grep -c 'refused a connection' target.log) lines of refusals"
