#!/bin/bash
# A path that drops large segments silently, like a tunnel behind a firewall
# that drops ICMP: heartbeats pass, data does not. Both sides report it with
# remedies, and the clone continues with smaller segments.
. "$(dirname "$0")/../func/lib.sh"
. "$TESTS/tools/netns.sh"
netns_up

ip -n "$NODE_SOURCE" link set cable gso_max_segs 1
ip -n "$NODE_TARGET" link set cable gso_max_segs 1
lose_large() # CHAIN
{
    netns_rule -A "$1" -p tcp -m length --length 1200:65535 -j DROP \
        2>iptables.err || skip "iptables: $(cat iptables.err)"
}

# Keys of a few bytes, so that the handshake gets through.
printf 'pair:%064d\n' 7 >key
chmod 600 key
SOURCE_IDENTITY=(--psk-file key) TARGET_IDENTITY=(--psk-file key)
SOURCE_WITH=() # no name in a certificate
lose_large INPUT
make_dense image $((4 * MIB))
start_target copy
run_source image --lanes=2
wait_target
assert_status source 0
assert_status target 0
assert_same image copy $((4 * MIB))
for side in source target; do
    assert_log $side 'path-MTU black hole: segments of 1448 bytes are lost'
    assert_log $side 'lower the MTU .*net\.ipv4\.tcp_mtu_probing=1'
done
refute_log source 'no progress'

# The certificates of the handshake are lost already, in both directions.
lose_large OUTPUT
rm copy
SOURCE_IDENTITY=() TARGET_IDENTITY=()
SOURCE_WITH=(--server-name target)
start_target copy
run_source image --connect-timeout=50s
wait_target
assert_status source 0
assert_status target 0
assert_same image copy $((4 * MIB))
assert_log source 'trying again .*also with segments of 1024 bytes'
