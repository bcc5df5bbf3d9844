# shellcheck shell=bash
# lib_hung.sh - for scripts about disks whose I/O never completes.  After
# func/lib.sh and lib_resume.sh.

# Both sides report who waits for what, and exit 75 without waiting for the
# disk.  (Where a helper thread hangs in it, Linux keeps the dead process until
# the disk answers, so it answers once both have reported.)
assert_hung_disk() # SIDE: its disk hangs in the middle of a clone; both end
{
    local side=$1

    wait_log target 'copying' || fail "the clone did not begin"
    sleep 0.5 # so that some of it comes
    kill -STOP "$KIT_PID"
    at_exit kill -CONT "$KIT_PID"
    wait_log "$side" 'exiting without it' || fail "$side said nothing"
    kill -CONT "$KIT_PID"
    faulty_rate fast
    wait_source
    wait_target
    for side in source target; do
        assert_status $side 75
        assert_log $side "no progress for 2 s: [1-9] of 1 lanes wait for the $1's disk"
    done
    assert_log "$1" 'error.*I/O on the .* never completed.*"retryable":true'
}
