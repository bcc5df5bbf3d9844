#!/bin/bash
# An image that is truncated while it is read is an error with an offset, and
# never a shorter disk.
. "$(dirname "$0")/../func/lib.sh"
one_try

make_dense image $((48 * MIB))
start_target copy
start_slow_source 4MiB image --lanes=1
wait_log source copying || fail "it did not begin"
truncate -s $((40 * MIB)) image
lift_rate
wait_source
wait_target
# Or, where the lane opens the image only now, by its size.
assert_both_fail 12 \
    "at $((40 * MIB)) of image: .*(shrunk|shorter)|image was .* another size"
