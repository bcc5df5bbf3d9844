#!/bin/bash
# SIGINT and SIGTERM end both sides soon; the other side reports why, and no
# copy remains.
. "$(dirname "$0")/lib.sh"
one_try

make_dense data $((64 * MIB))
faulty_up data slow 48M

interrupt() # SIDE SIGNAL STATUS [SECONDS after its begin]
{
    local other=source

    [ "$1" = target ] || other=target
    start_target copy
    start_source "$FAULTY_DISK"
    wait_log target copying || fail "it did not begin"
    sleep "${4:-0}"
    SECONDS=0
    if [ "$1" = target ]; then
        kill -"$2" "$TARGET_PID"
    else
        kill -"$2" "$SOURCE_PID"
    fi
    wait_source
    wait_target
    [ $SECONDS -le 10 ] || fail "$1 took $SECONDS s after SIG$2"
    assert_status "$1" "$3"
    assert_status $other 40
    assert_log $other "$other: .*$1.*(cancelled|stopped)"
    [ ! -e copy ] || fail "half a copy has the final name"
}

interrupt source INT 130
interrupt source TERM 143
interrupt target INT 130
interrupt target TERM 143

# Nobody came yet.
start_target copy
kill -TERM "$TARGET_PID"
wait_target
assert_status target 143

# The disk below is FUSE, and Linux lets no thread leave a read that a FUSE
# server has taken, not even to die: with helper threads the process can only
# end when they do.  io_uring's requests do not hold it.
[ "${CLONEWIRE_IO_ENGINE:-}" != threads ] || exit 0

# A disk so slow that what is in flight cannot be waited for, once something is.
faulty_up data slow 4M
interrupt source INT 130 2
assert_log source 'source: .*disk was not waited for'

# A second signal ends it at once, with its own status.  (A new disk: that one
# is still at work.)
faulty_up data slow 4M
start_target copy
start_source "$FAULTY_DISK"
wait_log target copying || fail "it did not begin"
sleep 2
kill -INT "$SOURCE_PID"
kill -TERM "$SOURCE_PID"
wait_source
assert_status source 143
