#!/bin/bash
# --tcp-congestion sets the algorithm of each side's connections. An
# unavailable one is refused at the start, with the list of the available ones.
. "$(dirname "$0")/lib.sh"
require ss

kernel=/proc/sys/net/ipv4
[ -r $kernel/tcp_available_congestion_control ] || skip "no $kernel here"
available=$(cat $kernel/tcp_available_congestion_control)
# reno is in every kernel, and everybody may use it; one more where there is.
target_wish=reno source_wish=reno
for name in $(cat $kernel/tcp_allowed_congestion_control 2>/dev/null || true); do
    [ "$name" = reno ] || source_wish=$name
done

make_dense image $((4 * MIB))

under() # FILTER... NAME: the kernel says so, while the clone goes on
{
    local deadline=$((SECONDS + LONGEST))

    until ss -Htin state established "${@:1:$#-1}" >sockets &&
        grep -qE "^[[:space:]]+(.* )?${!#} " sockets; do
        is_running "$SOURCE_PID" || fail "the clone ended"
        [ $SECONDS -le $deadline ] ||
            fail "connections are not under ${!#}: $(cat sockets)"
        sleep 0.05
    done
}

start_target copy --tcp-congestion "$target_wish"
port=${TARGET_ADDRESS##*:}
start_source image --tcp-congestion "$source_wish" --rate 64KiB
under "dport = :$port" "$source_wish"
under "sport = :$port" "$target_wish"
echo "source under $source_wish, target under $target_wish"
stop_process "$SOURCE_PID"
stop_process "$TARGET_PID"

refuse_target 2 "\"no-such-one\", where there are: $available: No such file" \
    copy --tcp-congestion no-such-one
# Nobody listens there, and that is not even found out.
TARGET_ADDRESS=127.0.0.1:1 run_source image --tcp-congestion no-such-one
assert_status source 2
assert_log source "\"no-such-one\", where there are: $available: No such file"
refute_log source 'trying again|Connection refused'
