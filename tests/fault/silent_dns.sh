#!/bin/bash
# A name server that does not answer: --connect-timeout and SIGTERM still work,
# in both programs that connect.
. "$(dirname "$0")/../func/lib.sh"
. "$TESTS/func/lib_cloner.sh"
. "$TESTS/tools/netns.sh"
netns_up
require unshare mount

ip -n "$NODE_SOURCE" neigh add 198.18.0.53 lladdr 02:00:00:00:00:01 dev cable
# Three times 20 s: far from what is asked for below.
printf 'nameserver 198.18.0.53\noptions timeout:20 attempts:3\n' >resolv
# shellcheck disable=SC2016 # the inner shell's
SOURCE_UNDER+=(unshare --mount sh -c
    'mount --bind "$0" /etc/resolv.conf && exec "$@"' "$PWD/resolv")
make_dense image $MIB
SOURCE_DIALS=target.example:8443

SECONDS=0
run_source image --connect-timeout=3s
[ $SECONDS -ge 2 ] && [ $SECONDS -le 15 ] || fail "took $SECONDS s, not 3"
assert_status source 75
assert_log source 'resolve target\.example: no answer from the name server'

# Stopped while the name is looked for.
stop_while_resolving()
{
    local deadline=$((SECONDS + LONGEST))

    # Its second thread is the one that resolves.
    until [ "$(thread_count)" -ge 2 ]; do
        is_running "$SOURCE_PID" || fail "it did not resolve"
        [ $SECONDS -le $deadline ] || fail "it never resolved"
        sleep 0.02
    done
    SECONDS=0
    kill -TERM "$SOURCE_PID"
    wait_source
    [ $SECONDS -le 10 ] || fail "took $SECONDS s to stop"
    assert_status source 143
}

thread_count()
{
    # shellcheck disable=SC2012 # numbers
    ls "/proc/$SOURCE_PID/task" 2>/dev/null | wc -l
}

start_source image
stop_while_resolving

SERVER_ADDRESS=target.example:8443
mkdir disks
cp image disks/disk.img
start_cloner filesystem "$PWD/disks"
wait_log source 'I/O engine' || fail "the cloner did not start"
SECONDS=0
sleep 1
kill -TERM "$SOURCE_PID"
wait_source
[ $SECONDS -le 10 ] || fail "the cloner took $SECONDS s to stop"
assert_status source 143
