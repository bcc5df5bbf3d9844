#!/bin/bash
# On a machine with two networks, the pairing code is printed for each address,
# IPv6 included. --bind-device and --bind-address keep a clone on one network.
. "$(dirname "$0")/lib.sh"
require_root "network namespaces"
require ip
. "$TESTS/tools/netns.sh"

in_node() { nsenter --net -t "$1" "${@:2}"; }

wire() # NETWORK: 10.9.NETWORK.1 and .2, fd09:NETWORK::1 and ::2
{
    ip link add "cwi$1s$$" type veth peer name "cwi$1t$$" 2>link.err ||
        skip "veth: $(cat link.err)"
    plug "$source_node" "cwi$1s$$" "net$1" "$1" 1
    plug "$target_node" "cwi$1t$$" "net$1" "$1" 2
}

plug() # NODE LINK NAME NETWORK HOST
{
    ip link set "$2" netns "$1" name "$3"
    in_node "$1" ip address add "10.9.$4.$5/24" dev "$3"
    in_node "$1" ip address add "fd09:$4::$5/64" dev "$3" nodad 2>/dev/null ||
        skip "no IPv6 here"
    in_node "$1" ip link set "$3" up
}

netns_new source_node
netns_new target_node
wire 1
wire 2

make_sparse image $((2 * MIB))

target_there() # [OPTION...]: and CODES, one a line, when it listens
{
    rm -f copy
    : >target.log
    in_node "$target_node" "$TARGET" "$@" copy >target.out 2>target.log &
    TARGET_PID=$!
    at_exit stop_process $TARGET_PID
    wait_listening
    wait_log target 'listening on'
    for ((i = 0; i < 500; i++)); do
        ! grep -q '^The code is good' target.out || break
        sleep 0.02
    done
    grep -oE 'cw1-[^ ]+' target.out >codes || fail "no code"
}

source_here() # CODE [OPTION...]: SOURCE_STATUS
{
    SOURCE_STATUS=0
    in_node "$source_node" "$SOURCE" "${@:2}" image "$1" >source.out \
        2>source.log || SOURCE_STATUS=$?
}

addresses() { sed 's/.*@//; s/:[0-9]*$//' codes | sort | xargs; }

# Everywhere: all addresses, and one is as good as another.
target_there
assert_equal "$(addresses)" "10.9.1.2 10.9.2.2 [fd09:1::2] [fd09:2::2]" \
    "addresses to paste"
source_here "$(grep -F '[fd09:2::2]' codes)"
assert_status source 0
assert_log source 'connected to \[fd09:2::2\]:8443'
wait_target
assert_status target 0
cmp image copy

# One interface of the target: a source that dials the other one is refused.
target_there --bind-device net2
assert_equal "$(addresses)" "10.9.2.2 [fd09:2::2]" "addresses of an interface"
code=$(grep -F '@10.9.2.2' codes)
source_here "${code/10.9.2.2/10.9.1.2}" --connect-timeout 1s
assert_status source 75
assert_log source 'connect to 10.9.1.2:8443: Connection refused'
source_here "$code" --bind-device net1 --connect-timeout 1s
assert_status source 75
source_here "$code" --bind-device net2 --bind-address 10.9.2.1
assert_status source 0
assert_log target 'serving 10.9.2.1:'
wait_target
cmp image copy

# The same by address, as an IPv6 literal.
target_there --listen '[fd09:1::2]:0'
assert_equal "$(addresses)" "[fd09:1::2]" "one address"
source_here "$(cat codes)" --bind-address fd09:1::1
assert_status source 0
wait_target

refuse_target 2 'listen through interface nosuch: No such device' copy \
    --bind-device nosuch --overwrite
