#!/bin/bash
# On a larger device that cannot zero by itself, the rest of the device that
# reads as zero is left alone, and old data in it becomes zero.
. "$(dirname "$0")/lib.sh"
require_loop

make_sparse image $((16 * MIB))
make_empty backing $((256 * MIB))
put_noise backing $((150 * MIB + 7)) $((3 * MIB)) 9
put_noise backing $((256 * MIB - 5)) 5 9
faulty_up backing no-zero
attach "$FAULTY_DISK"
clone image "$LOOP"
assert_log target 'zeroing .*punch-hole does not work .*using compare'
assert_same image "$LOOP" $((16 * MIB))
sync
[ "$(allocated_bytes backing)" -lt $((64 * MIB)) ] ||
    fail "zeros were written: $(allocated_bytes backing) bytes"
