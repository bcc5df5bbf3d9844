#!/bin/bash
# The same as kill_points_file with a block device and a directory for the
# checkpoint.
. "$(dirname "$0")/../func/lib.sh"
. "$(dirname "$0")/lib_resume.sh"
. "$(dirname "$0")/lib_kill_points.sh"
require_loop

prepare_dest()
{
    dd if=/dev/zero of="$LOOP" bs=1M count=4 conv=fsync status=none
}

check_dest()
{
    assert_same image "$LOOP" $SIZE
    [ -z "$(ls -A state)" ] || fail "left: $(ls -A state)"
}

mkdir state
attach_new disk $((4 * MIB))
kill_at_every_point "$LOOP" --state-dir state
