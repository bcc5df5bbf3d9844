#!/bin/bash
# What a killed target leaves does not fail the next run; a foreign file under
# the final name does.
. "$(dirname "$0")/lib.sh"
one_try

make_dense data $((48 * MIB))
faulty_up data slow 40M
start_target copy
start_source "$FAULTY_DISK"
wait_exists .copy.clonewire-partial || fail "no partial file"
wait_log target copying || fail "it did not begin"
kill -KILL "$TARGET_PID"
faulty_rate fast
wait_source
assert_status source 75
[ -e .copy.clonewire-partial ] || fail "nothing was left: test tests nothing"
[ ! -e copy ] || fail "half a copy has the final name"

make_sparse image $((20 * MIB))
clone image copy
assert_same image copy $((20 * MIB))
assert_allocation image copy
[ ! -e .copy.clonewire-partial ] || fail "the partial file is still there"
