#!/bin/bash
# A read error at one place of the source: no copy, and both sides report the
# offset and the cause.
. "$(dirname "$0")/../func/lib.sh"
one_try

make_dense data $((12 * MIB))
faulty_up data eio-read $((7 * MIB + 8192)) $((7 * MIB + 8704))

check() # IMAGE
{
    start_target copy
    run_source "$1"
    wait_target
    assert_both_fail 30 "read.* at $((7 * MIB)).*Input/output error"
    [ ! -e copy ] || fail "a copy was made"
}

check "$FAULTY_DISK"
attach "$FAULTY_DISK"
device=$LOOP
check "$device"
