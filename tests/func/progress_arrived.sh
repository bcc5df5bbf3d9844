#!/bin/bash
# Data in the source's socket buffers does not count as done: over a slow link
# the source shows "flushing" only when the target does.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib_link.sh"

start_link 8 10 256

# 3 s at 1 MB/s; all of it fits into the buffers, and leaves in milliseconds.
make_dense image $((3 * MIB))
SOURCE_WITH=(--server-name=localhost --compress=off)
start_target copy
start_source image --lanes=1
wait_log source flushing || fail "the source never flushed"
# The target logs it before the source can hear of it.
assert_log target flushing
both_succeed
assert_same image copy $((3 * MIB))
