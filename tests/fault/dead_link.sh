#!/bin/bash
# A link that goes down, so that nothing is acknowledged or closed: both sides
# notice within --dead-peer-timeout.
. "$(dirname "$0")/../func/lib.sh"
one_try
require_root "network namespaces"
require ip
. "$TESTS/tools/netns.sh"

plug() # NODE LINK ADDRESS
{
    ip link set "$2" netns "$1"
    nsenter --net -t "$1" ip address add "$3/24" dev "$2"
    nsenter --net -t "$1" ip link set "$2" up
}

netns_new one
netns_new two
ip link add cwa$$ type veth peer name cwb$$ 2>link.err ||
    skip "veth: $(cat link.err)"
plug "$one" cwa$$ 10.99.0.1
plug "$two" cwb$$ 10.99.0.2

make_dense data $((48 * MIB))
faulty_up data slow 40M
SOURCE_UNDER=(nsenter --net -t "$one")
TARGET_UNDER=(nsenter --net -t "$two")
SOURCE_WITH+=(--dead-peer-timeout=2s --server-name=target)
TARGET_WITH+=(--dead-peer-timeout=2s)
LISTEN=10.99.0.2:0
start_target copy
start_source "$FAULTY_DISK"
wait_log target copying || fail "it did not begin"
nsenter --net -t "$two" ip link set cwb$$ down
faulty_rate fast

SECONDS=0
wait_source
wait_target
[ $SECONDS -le 20 ] || fail "took $SECONDS s" # unasked it takes 30
for side in source target; do
    assert_status $side 75
    assert_log $side "$side: .*(no sign of life|no answer|unreachable)"
done
