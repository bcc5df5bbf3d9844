#!/bin/bash
# 1, 2 and 4 lanes copy the same disk; both sides use the smaller number.
. "$(dirname "$0")/lib.sh"

make_sparse image $((30 * MIB))

check() # SOURCE-LANES TARGET-LANES AGREED
{
    SOURCE_WITH=(--lanes="$1") TARGET_WITH=(--lanes="$2")
    clone image copy
    assert_same image copy $((30 * MIB))
    assert_log source "^lanes +$3,"
    assert_log target "^lanes +$3,"
    rm copy
}

check 1 1 1
check 2 2 2
check 4 4 4
check 4 2 2
check 1 4 1
