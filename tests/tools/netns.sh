# shellcheck shell=bash
# netns.sh - two machines: network namespaces with a link between them, which
# fails in ways that a proxy cannot imitate.  After func/lib.sh.
#
#   netns_up            from here on source and target run on a node each
#   netns_drop       the link drops everything
#   netns_reset         the link answers everything by RST
#   netns_heal          the link works again
#   netns_new VARIABLE  another node without processes; VARIABLE: its PID

netns_up()
{
    require_root "network namespaces"
    require ip iptables
    NODE_SOURCE=cw$$s NODE_TARGET=cw$$t

    ip netns add $NODE_SOURCE 2>netns.err || skip "netns: $(cat netns.err)"
    at_exit ip netns del $NODE_SOURCE
    ip netns add $NODE_TARGET
    at_exit ip netns del $NODE_TARGET
    ip link add cable netns $NODE_SOURCE type veth \
        peer name cable netns $NODE_TARGET 2>netns.err ||
        skip "veth: $(cat netns.err)"
    ip -n $NODE_SOURCE addr add 198.18.0.1/24 dev cable
    ip -n $NODE_TARGET addr add 198.18.0.2/24 dev cable
    for node in $NODE_SOURCE $NODE_TARGET; do
        ip -n $node link set lo up
        ip -n $node link set cable up
    done
    netns_rule -L >/dev/null 2>netns.err || skip "iptables: $(cat netns.err)"
    SOURCE_UNDER=(ip netns exec "$NODE_SOURCE")
    TARGET_UNDER=(ip netns exec "$NODE_TARGET")
    SOURCE_WITH+=(--server-name target)
    LISTEN=198.18.0.2:0
}

# A namespace lives as long as the process in it: no name remains.
netns_new() # VARIABLE
{
    local -n node=$1

    require nsenter unshare
    unshare --net sleep 600 2>node.err &
    node=$!
    at_exit stop_process $node
    until ! [ "/proc/self/ns/net" -ef "/proc/$node/ns/net" ]; do
        is_running $node || skip "no network namespaces: $(cat node.err)"
        sleep 0.02
    done
    is_running $node || skip "no network namespaces: $(cat node.err)"
}

netns_rule() # IPTABLES-ARGUMENT...
{
    ip netns exec "$NODE_TARGET" iptables -w "$@"
}

netns_drop()
{
    netns_rule -A INPUT -i cable -j DROP
    netns_rule -A OUTPUT -o cable -j DROP
}

netns_reset()
{
    netns_rule -A INPUT -i cable -p tcp -j REJECT --reject-with tcp-reset
}

netns_heal()
{
    netns_rule -F INPUT
    netns_rule -F OUTPUT
}
