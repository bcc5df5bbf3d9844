#!/bin/bash
# A hundred lost connections in one clone: memory and descriptors do not grow.
. "$(dirname "$0")/../func/lib.sh"
. "$(dirname "$0")/lib_resume.sh"
require python3
LONGEST=200

# The disk is larger than all that the cut connections carry, however little of
# it is lost with them: so each of them is cut before the end.
CUT=$((4 * MIB))
TIMES=100
is_plain=1
# Sanitizers keep memory to themselves: only descriptors count, and are as many.
if grep -qE '__(asan|tsan)_init' "$SOURCE"; then
    CUT=$MIB is_plain=
fi
SIZE=$((CUT * TIMES + 40 * MIB))

descriptors() # PID
{
    find "/proc/$1/fd" -mindepth 1 2>/dev/null | wc -l
}

resident_kib() # PID
{
    sed -n 's/^VmRSS:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$1/status"
}

wait_reconnects() # COUNT
{
    while [ "$(grep -c 'connecting again' source.log)" -lt "$1" ]; do
        is_running "$SOURCE_PID" || fail "the source ended early"
        sleep 0.05
    done
}

make_dense image $SIZE
start_target copy --once --lanes 1
start_flaky cut $CUT $TIMES
start_source image --lanes 1
wait_reconnects 10
for pid in $SOURCE_PID $TARGET_PID; do
    declare "fds_$pid=$(descriptors "$pid")" "kib_$pid=$(resident_kib "$pid")"
done
wait_reconnects 70
for pid in $SOURCE_PID $TARGET_PID; do
    fds=fds_$pid kib=kib_$pid
    echo "descriptors ${!fds} -> $(descriptors "$pid")," \
        "memory ${!kib} -> $(resident_kib "$pid") KiB"
    [ "$(descriptors "$pid")" -le $((${!fds} + 12)) ] || fail "descriptors grow"
    [ -z "$is_plain" ] ||
        [ "$(resident_kib "$pid")" -le $((${!kib} + 16 * 1024)) ] ||
        fail "memory grows"
done
both_succeed
assert_same image copy $SIZE
assert_equal "$(count_of source reconnects)" $TIMES "reconnects"
