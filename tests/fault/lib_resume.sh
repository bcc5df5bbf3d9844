# shellcheck shell=bash
# lib_resume.sh - for scripts about clones that are interrupted.  After
# func/lib.sh.
#
#   start_flaky FAULT BYTES TIMES   a network in front of the target, that
#                                   start_source dials
#   count_of SIDE FIELD             a number of its summary

SOURCE_WITH+=(--log-format json)
TARGET_WITH+=(--log-format json)

start_flaky() # FAULT BYTES TIMES
{
    local i

    : >flaky.log
    python3 "$TESTS/tools/flaky.py" "$TARGET_ADDRESS" "$@" >>flaky.log 2>&1 &
    FLAKY_PID=$!
    at_exit stop_process $FLAKY_PID
    for ((i = 0; i < 500; i++)); do
        SOURCE_DIALS=$(sed -n 's/^listening on //p' flaky.log)
        [ -z "$SOURCE_DIALS" ] || return 0
        sleep 0.02
    done
    fail "no flaky network: $(cat flaky.log)"
}

count_of() # SIDE FIELD
{
    grep -h '"event":"summary"' "$1.out" | grep -oE "\"$2\":[0-9]+" |
        cut -d : -f 2
}
