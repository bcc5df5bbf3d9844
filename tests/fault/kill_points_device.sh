#!/bin/bash
# The same where a block device is written, with a directory for its record.
. "$(dirname "$0")/../func/lib.sh"
. "$(dirname "$0")/lib_resume.sh"
. "$(dirname "$0")/lib_kill_points.sh"
require_loop
require_plain_build "a run for each call"

begin()
{
    dd if=/dev/zero of="$LOOP" bs=1M count=4 conv=fsync status=none
}

check()
{
    assert_same image "$LOOP" $SIZE
    [ -z "$(ls -A state)" ] || fail "left: $(ls -A state)"
}

mkdir state
SOURCE_WITH+=(--job-id the-job)
make_dense image $SIZE
attach_new disk $((4 * MIB))
kill_everywhere "$LOOP" --state-dir state
