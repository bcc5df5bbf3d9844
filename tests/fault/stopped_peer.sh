#!/bin/bash
# A peer stopped by SIGSTOP is detected by its silence, from either side; a
# slow one is not.
. "$(dirname "$0")/../func/lib.sh"
one_try

make_dense data $((32 * MIB))
faulty_up data slow 40M # 6 s: twice the time silence may last
SOURCE_WITH+=(--dead-peer-timeout=3s) TARGET_WITH+=(--dead-peer-timeout=3s)
clone "$FAULTY_DISK" copy
assert_same data copy $((32 * MIB))
rm copy

start_target copy
start_source "$FAULTY_DISK"
wait_log target 'serving '
kill -STOP "$SOURCE_PID"
wait_target 20 # unasked it takes 30
faulty_rate fast
assert_status target 75
assert_log target 'target: .*(no sign of life|no answer)'
