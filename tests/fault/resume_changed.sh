#!/bin/bash
# A source that changed between two runs is never mixed with its old content:
# what differs is sent again, also where the target held it.
. "$(dirname "$0")/../func/lib.sh"
. "$(dirname "$0")/lib_resume.sh"

SIZE=$((96 * MIB))
TARGET_WITH+=(--checkpoint-every 200ms)

end() # JOB
{
    start_target copy
    run_source image --job-id "$1"
    wait_target
    assert_status source 0
    assert_status target 0
    assert_digests_equal
    assert_same image copy $SIZE
    [ ! -e .copy.clonewire-state ] || fail "the checkpoint is still there"
    rm -f copy
}

make_dense image $SIZE
begin_and_kill --job-id one
put_noise image $((3 * MIB)) $((2 * MIB)) 7
dd if=/dev/zero of=image bs=1M seek=8 count=2 conv=notrunc status=none
end one
assert_log source 'the target reads what it has'
[ "$(count_of source same_bytes)" -gt 0 ] || fail "nothing was kept"

# Another job's disk is not gone on from.
begin_and_kill --job-id one
end two
refute_log source 'the target (holds|reads)'
assert_log target 'of another job: ignored'

begin_and_kill --job-id one
truncate -s 1M .copy.clonewire-partial
end one
assert_log target 'the checkpoint does not help'
# The first MiB, and two that are zero in the image.
assert_equal "$(count_of source same_bytes)" $((3 * MIB)) "bytes that were there"

begin_and_kill --job-id one
printf x | dd of=.copy.clonewire-state bs=1 seek=2000 conv=notrunc status=none
end one
assert_log target 'damaged or of another version: ignored'
[ "$(count_of source same_bytes)" -ge $((12 * MIB)) ] || fail "begun anew"

begin_and_kill --job-id one
TARGET_WITH+=(--resume off)
end one
refute_log source 'the target (holds|reads)'
