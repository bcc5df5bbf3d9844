#!/bin/bash
# An existing file is refused, and replaced whole when that is asked for.
. "$(dirname "$0")/lib.sh"

make_sparse image $((12 * MIB))
make_dirty copy $((20 * MIB))
cp copy before

refuse_target 11 'copy.*exists.*--overwrite' copy
cmp before copy

TARGET_WITH=(--overwrite)
clone image copy
assert_same image copy $((12 * MIB))
assert_allocation image copy
