#!/bin/bash
# off leaves holes, falloc reserves space, full writes; each reports what it
# did.
. "$(dirname "$0")/lib.sh"

make_sparse image $((24 * MIB))

check() # MODE APPLIED
{
    TARGET_WITH=(--preallocate="$1")
    clone image copy
    assert_same image copy $((24 * MIB))
    assert_log target "^preallocation +$2"
    if [ "$1" = off ]; then
        assert_allocation image copy
    else
        [ "$(allocated_bytes copy)" -ge $((24 * MIB)) ] ||
            fail "$1 allocated only $(allocated_bytes copy) bytes"
    fi
    rm copy
}

check off off
check falloc falloc
check auto falloc
check full full
