# shellcheck shell=bash disable=SC2034
# lib_link.sh - source and target in two network namespaces, with a slow link
# between them.  After lib.sh.
#
#   start_link RATE_MBIT DELAY_MS QUEUE_KIB   for the next source and target;
#                                             LINK_PID
require nsenter

start_link() # RATE_MBIT DELAY_MS QUEUE_KIB
{
    local i

    "$CW_BUILD/bench/bench-slow-link" "$@" >link.out 2>link.log &
    LINK_PID=$!
    at_exit stop_process $LINK_PID
    for ((i = 0; i < 500; i++)); do
        ! read -r _ NEAR FAR <link.out || break
        is_running $LINK_PID || skip "no slow link here: $(cat link.log)"
        sleep 0.02
    done
    SOURCE_UNDER=(nsenter --net="$NEAR" --)
    TARGET_UNDER=(nsenter --net="$FAR" --)
    LISTEN=198.18.0.2:0
}
