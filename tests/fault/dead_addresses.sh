#!/bin/bash
# A name with many addresses, of which only the last answers: each dead address
# costs a quarter of a second, and not its share of the timeout.
. "$(dirname "$0")/../func/lib.sh"
. "$TESTS/tools/netns.sh"
netns_up
require unshare mount

for last in 21 22 23 24 25 26 27; do
    ip -n "$NODE_SOURCE" neigh add 198.18.0.$last lladdr 02:00:00:00:00:01 \
        dev cable
    echo "198.18.0.$last target.example"
done >hosts
echo "198.18.0.2 target.example" >>hosts
# shellcheck disable=SC2016 # the inner shell's
SOURCE_UNDER+=(unshare --mount sh -c
    'mount --bind "$0" /etc/hosts && exec "$@"' "$PWD/hosts")
make_dense image $((4 * MIB))
start_target copy
SOURCE_DIALS=target.example:${TARGET_ADDRESS##*:}

# All of them, one after the other, would need 8.7 s of the 10 s that a
# handshake may take, and each lane as much again.
SECONDS=0
run_source image --lanes=2 --connect-timeout=10s
wait_target
[ $SECONDS -le 6 ] || fail "took $SECONDS s to find the living address"
assert_status source 0
assert_status target 0
assert_same image copy $((4 * MIB))
assert_log source 'connected to 198\.18\.0\.2:'
refute_log source 'trying again'

# None answers: the timeout holds, and the address is named.
sed -i '$d' hosts
SECONDS=0
run_source image --connect-timeout=3s
[ $SECONDS -ge 2 ] && [ $SECONDS -le 10 ] || fail "took $SECONDS s, not 3"
assert_status source 75
assert_log source 'connect to 198\.18\.0\.2[0-9]:[0-9]+: Connection timed out'
