#!/bin/bash
# A link that goes down, so that nothing is acknowledged and nothing closed:
# both sides notice within the time they were given.
. "$(dirname "$0")/../func/lib.sh"
one_try
require_root "network namespaces"
require ip nsenter unshare

# A namespace lives as long as the process in it: no name is left behind.
make_node() # VARIABLE LINK ADDRESS: its process
{
    local -n node=$1

    unshare --net sleep 120 2>node.err &
    node=$!
    at_exit stop_process $node
    sleep 0.2
    ip link set "$2" netns $node 2>>node.err || skip "$(cat node.err)"
    nsenter --net -t $node ip address add "$3/24" dev "$2"
    nsenter --net -t $node ip link set "$2" up
}

ip link add cwa$$ type veth peer name cwb$$ 2>link.err ||
    skip "veth: $(cat link.err)"
make_node one cwa$$ 10.99.0.1
make_node two cwb$$ 10.99.0.2

make_dense data $((48 * MIB))
faulty_up data slow 40M
SOURCE_UNDER=(nsenter --net -t "$one")
TARGET_UNDER=(nsenter --net -t "$two")
SOURCE_WITH+=(--dead-peer-timeout=2s --server-name=target)
TARGET_WITH+=(--dead-peer-timeout=2s)
LISTEN=10.99.0.2:0
start_target copy
start_source "$FAULTY_DISK"
wait_log target 'serving '
sleep 0.5
nsenter --net -t "$two" ip link set cwb$$ down

SECONDS=0
wait_source 10
wait_target 10
[ $SECONDS -le 6 ] || fail "took $SECONDS s"
for side in source target; do
    assert_status $side 75
    assert_log $side "$side: .*(no sign of life|no answer|unreachable)"
done
