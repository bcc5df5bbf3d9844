#!/bin/bash
# A lane so slow that a chunk takes many times --stall-timeout: every byte
# counts as progress, and nothing is sent twice.
. "$(dirname "$0")/../func/lib.sh"
. "$(dirname "$0")/lib_resume.sh"

require python3
make_dense image $((512 * KIB))
start_target copy --stall-timeout=2s
# 8 s for the one chunk, of which each end would see nothing at all before.
run_source image --rate=64KiB --compress=off --stall-timeout=2s
wait_target
assert_status source 0
assert_status target 0
assert_same image copy $((512 * KIB))
refute_log source 'no progress|again'
refute_log target 'no progress|come back'
assert_equal "$(count_of source reconnects)" 0 reconnects

# Behind a proxy that takes all at once and passes on 64 kB a second: the
# target sees it come, and the source has nothing left to wait for.
rm copy
start_target copy --stall-timeout=2s
start_helper flaky python3 "$TESTS/tools/flaky.py" "$TARGET_ADDRESS" \
    cut 1000000000 0 65536
SOURCE_DIALS=$HELPER_ADDRESS
run_source image --compress=off --stall-timeout=2s
wait_target
assert_status source 0
assert_status target 0
assert_same image copy $((512 * KIB))
refute_log source 'no progress|again'
refute_log target 'no progress|come back'
