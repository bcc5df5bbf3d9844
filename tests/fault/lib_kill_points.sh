# shellcheck shell=bash
# lib_kill_points.sh - kills a target before and after each of its calls that
# changes files, one call per run, and starts it again: both sides exit 0, and
# nothing is sent again that was safe.  After func/lib.sh and
# lib_resume.sh.
#
#   kill_at_every_point DEST [OPTION of the target...]
#
# A script may define prepare_dest(), which makes DEST as it is before a clone,
# and check_dest(), which checks it afterwards.
require_plain_build "one run for each call"

# The library that kills writes a log, which the sandbox does not know.
export CLONEWIRE_SANDBOX=off

SIZE=$((3 * MIB))
SOURCE_WITH+=(--job-id the-job)
make_dense image $SIZE

prepare_dest()
{
    rm -f copy
}

check_dest()
{
    cmp image copy
    assert_nothing_left
}

assert_nothing_left() # no partial file and no checkpoint of copy
{
    [ -z "$(find . -name '.copy.*')" ] || fail "left: $(find . -name '.copy.*')"
}

# Until the source has ended, or connects again.
wait_known()
{
    local deadline=$((SECONDS + LONGEST))

    while is_running "$SOURCE_PID"; do
        ! grep -qE 'connecting again|trying again' source.log || return 0
        [ $SECONDS -le $deadline ] || fail "the source does not notice"
        sleep 0.02
    done
}

# Was the finished disk recorded before the target was killed?
is_recorded()
{
    grep -qE '^rename .*clonewire-state\.new$' calls 2>/dev/null
}

# After its source has ended, the target ends by itself, or, every other time,
# reports the same result to a source that is started again.
restart_after_end() # POINT DEST [OPTION...]
{
    local digest

    wait_source
    assert_status source 0
    digest=$(digest_of source)
    if [ $(($1 / 2 % 2)) = 0 ]; then
        start_target "${@:2}" --retry-for 1s
        wait_target
    else
        start_target "${@:2}"
        run_source image
        wait_target
        assert_status source 0
        assert_equal "$(count_of source data_bytes)" 0 "data sent again"
    fi
    assert_status target 0
    assert_equal "$(digest_of target)" "$digest" "digest of the target"
}

# The mark of a finished disk is removed last: without it, the next start cannot
# be told from a new clone.
is_last_act()
{
    local last

    last=$(tail -n 1 calls)
    is_recorded && [ "${last%% *}" = fremovexattr ] && [ -d "${last#* }" ]
}

restart() # POINT DEST [OPTION...]
{
    wait_known
    if [ $(($1 % 2)) = 1 ] && is_last_act; then
        wait_source
        assert_status source 0
        return
    fi
    if ! is_running "$SOURCE_PID"; then
        restart_after_end "$@"
        return
    fi
    start_target "${@:2}"
    both_succeed
    ! is_recorded ||
        [ "$(count_of source data_bytes)" -le $SIZE ] ||
        fail "$(count_of source data_bytes) bytes were sent for $SIZE"
}

# False: the clone ended before that point.
kill_at() # POINT DEST [OPTION...]
{
    rm -f calls
    TARGET_UNDER=(env LD_PRELOAD="$TOOLS/kill_at.so" KILL_AT="$1"
        KILL_LOG="$WORK/calls")
    launch_target "${@:2}"
    TARGET_UNDER=()
    SOURCE_DIALS=$LISTEN
    start_source image
    wait_target
    if [ "$TARGET_STATUS" = 0 ]; then
        wait_source
        assert_status source 0
        return 1
    fi
    assert_status target 137
}

kill_at_every_point() # DEST [OPTION of the target...]
{
    local point=0

    while prepare_dest; kill_at $point "$@"; do
        echo "killed at $point, after: $(tail -n 1 calls 2>/dev/null)"
        restart $point "$@"
        check_dest
        point=$((point + 1))
    done
    check_dest
    echo "$point points"
    # Fewer than a flush, a record and its removal have: nothing was tried.
    [ $point -ge 20 ] || fail "only $point points"
}
