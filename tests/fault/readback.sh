#!/bin/bash
# With --verify=readback, a disk that returns other data than was written is
# detected before success, and the differing chunks are sent again.
. "$(dirname "$0")/../func/lib.sh"
. "$(dirname "$0")/lib_resume.sh"
require_root "loop devices"

SIZE=$((16 * MIB))
make_dense image $SIZE

# An honest disk; also when it is copied to within this machine.
"$SOURCE" image --to local --verify readback --progress json >source.out \
    2>source.log || fail "$(cat source.log)"
grep -q '"phase":"verifying"' source.log || fail "it never verified"
cmp image local
rm local
start_target copy --verify readback
run_source image
wait_target
assert_status source 0
assert_status target 0
assert_same image copy $SIZE

forgetful() # FILE [FAULT]: DEVICE over it, which stores a wrong byte once
{
    make_empty "$1" $SIZE
    faulty_up "$1" "${2:-flip-once}" $((7 * MIB + 5)) $((7 * MIB + 6))
    attach "$FAULTY_DISK" --direct-io=on
    device=$LOOP
}

# One that stores a wrong byte, once.
forgetful backing
start_target "$device" --verify readback --yes
run_source image
wait_target
assert_status source 0
assert_status target 0
assert_log target 'read back at 7340032: not what was written'
assert_log source 'connecting again'
assert_same image "$device" $SIZE

# One that always does is given up.
forgetful broken flip
start_target "$device" --verify readback --yes --once
run_source image
wait_target
for side in source target; do
    assert_status $side 14
    assert_log $side '1 chunks of .* read back as something else'
done
assert_equal "$(grep -c 'read back at 7340032' target.log)" 3 "attempts"

# Within this machine there is no source that would send it again.
forgetful backing2
status=0
"$SOURCE" image --to "$device" --verify readback --yes >source.out \
    2>source.log || status=$?
assert_equal $status 14 "status of a copy to it"
assert_log source 'read back at 7340032: not what was written'
assert_log source '^source: .*1 chunks of .* read back as something else'
