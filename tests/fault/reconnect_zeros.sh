#!/bin/bash
# After a reconnect the target is no longer blank: zeros must be written where
# the first session left data.
. "$(dirname "$0")/../func/lib.sh"
. "$(dirname "$0")/lib_resume.sh"
require python3

make_sparse image $((200 * MIB))
for preallocate in off falloc full; do
    start_target copy --once --preallocate $preallocate
    start_flaky cut $((4 * MIB)) 3
    run_source image
    wait_target
    assert_status source 0
    assert_status target 0
    assert_digests_equal
    assert_same image copy "$(disk_bytes image)"
    [ $preallocate != off ] || assert_allocation image copy
    kill "$FLAKY_PID"
    rm copy
done
