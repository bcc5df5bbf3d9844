#!/bin/bash
# A delta whose connections are cut resumes: also in the part of the older copy
# that was not scanned yet, and with leaves of chunks in flight.
. "$(dirname "$0")/../func/lib.sh"
. "$(dirname "$0")/lib_resume.sh"
require python3

make_dense image $((96 * MIB))
cp image older
for ((i = 0; i < 30; i++)); do
    put_noise image $((i * 3 * MIB + 65536 * (i % 14))) $((65536 * 2)) $((i + 40))
done
put_noise image $((90 * MIB)) $((4 * MIB)) 99

start_target older --delta
start_flaky cut $((3 * MIB)) 2
run_source image --lanes 2
wait_target
assert_status source 0
assert_status target 0
assert_digests_equal
assert_same image older $((96 * MIB))
[ "$(count_of source reconnects)" -ge 1 ] || fail "nothing was cut"
[ "$(count_of target data_bytes)" -le $((9 * MIB)) ] ||
    fail "wrote $(count_of target data_bytes) bytes"
