# shellcheck shell=bash
# lib_pods.sh - source and target as pods, in a network namespace each, with
# a shaped link between: ". …/pods/lib_pods.sh".
#
#   start_pod SIDE MODE [VARIABLE=VALUE…]   MODE: block, filesystem
#   wait_pod SIDE                           STATUS; its last word in SIDE.word
#   stop_pod SIDE
#   word SIDE EXPRESSION                    asserts: true of the object w
#
# DISK_source and DISK_target are a device, or a directory with disk.img.
. "$(dirname "${BASH_SOURCE[0]}")/../func/lib.sh"

IMAGE=localhost/clonewire-test:latest
BASE=docker.io/library/$(sed -n 's/^ARG DEBIAN=//p' "$TESTS/../Containerfile")
DEPLOY=$TESTS/../deploy
RATE=${RATE:-2gbit}
DISK_source='' DISK_target='' # of make_block_disk, make_directory_disk

require_podman()
{
    require_root "podman with devices"
    require podman runc python3 ip tc nsenter
    python3 -c 'import yaml' 2>/dev/null || skip "python3 has no yaml module"
    podman info >podman.err 2>&1 || {
        export CONTAINERS_CONF=$TESTS/pods/containers.conf
        podman info >podman.err 2>&1 ||
            skip "podman cannot run here: $(tail -n 1 podman.err)"
    }
}

require_image()
{
    podman image exists "$IMAGE" ||
        skip "there is no $IMAGE: the test pods.image makes it"
    podman run --rm --network none "$IMAGE" clonewire-target --version \
        >podman.err 2>&1 && return 0
    export CONTAINERS_CONF=$TESTS/pods/containers.conf
    podman run --rm --network none "$IMAGE" clonewire-target --version \
        >podman.err 2>&1 || skip "podman cannot run here: $(tail -n 1 podman.err)"
}

# Two nodes: NODE_source and NODE_target, 10.98.0.1 and 10.98.0.2.
make_nodes()
{
    local side

    ip link add cwps$$ type veth peer name cwpt$$ 2>link.err ||
        skip "veth: $(cat link.err)"
    for side in source target; do
        unshare --net sleep 600 &
        declare -g "NODE_$side=$!"
        at_exit stop_process $!
        wait_namespace $!
    done
    make_node "$NODE_source" cwps$$ 10.98.0.1
    make_node "$NODE_target" cwpt$$ 10.98.0.2
}

wait_namespace() # PID: it has a network of its own
{
    local own i

    own=$(readlink /proc/self/ns/net)
    for ((i = 0; i < 1000; i++)); do
        [ "$(readlink "/proc/$1/ns/net")" = "$own" ] || return 0
        sleep 0.02
    done
    fail "there is no namespace"
}

make_node() # PID LINK ADDRESS
{
    ip link set "$2" netns "$1"
    nsenter --net -t "$1" ip address add "$3/24" dev "$2"
    nsenter --net -t "$1" ip link set lo up
    nsenter --net -t "$1" ip link set "$2" up
    nsenter --net -t "$1" tc qdisc add dev "$2" root tbf rate "$RATE" \
        burst 1mb latency 50ms
}

# As a kubelet mounts a Secret: links, readable by the group.
make_secret() # SIDE
{
    mkdir -p "tls-$1/..now"
    cp "$CERTS/$1.crt" "tls-$1/..now/tls.crt"
    cp "$CERTS/$1.key" "tls-$1/..now/tls.key"
    cp "$CERTS/ca.crt" "tls-$1/..now/ca.crt"
    chown -R 0:107 "tls-$1"
    chmod 440 "tls-$1"/..now/*
    ln -s ..now "tls-$1/..data"
    ln -s ..data/tls.crt ..data/tls.key ..data/ca.crt "tls-$1/"
}

pod_name()
{
    echo "cw$$-$1"
}

PLAY_WITH=() # more for play_pod.py

start_pod() # SIDE MODE [VARIABLE=VALUE...]
{
    local side=$1 mode=$2 name disk=DISK_$1 node=NODE_$1

    shift 2
    name=$(pod_name "$side")
    [ -d "tls-$side" ] || make_secret "$side"
    : >"$side.word"
    chown 107:107 "$side.word"
    "$TESTS/tools/play_pod.py" "$DEPLOY/base/pods/$side-$mode.yaml" \
        --image "$IMAGE" --disk "$(realpath "${!disk}")" \
        --tls "$PWD/tls-$side" --word "$PWD/$side.word" --name "$name" \
        "${PLAY_WITH[@]}" CLONEWIRE_PEER_NAME=source \
        CLONEWIRE_SERVER_NAME=target CLONEWIRE_TARGET=10.98.0.2:8443 \
        CLONEWIRE_LOG_FORMAT=text "$@" >"$side.yaml"
    at_exit stop_pod "$side"
    nsenter --net -t "${!node}" podman kube play \
        --seccomp-profile-root "$DEPLOY" "$side.yaml" >play.log 2>&1 ||
        fail "podman kube play: $(tail -n 3 play.log)"
}

stop_pod() # SIDE
{
    podman pod rm -f -t 0 "$(pod_name "$1")" >/dev/null 2>&1 || true
}

container_of() # SIDE
{
    echo "$(pod_name "$1")-$1"
}

save_log() # SIDE
{
    podman logs "$(container_of "$1")" >"$1.log" 2>&1
}

wait_pod() # SIDE
{
    STATUS=$(timeout $LONGEST podman wait "$(container_of "$1")") ||
        { save_log "$1"; fail "the $1 is still running"; }
    save_log "$1"
}

pod_says() # SIDE REGEX
{
    local i

    for ((i = 0; i < 400; i++)); do
        save_log "$1"
        ! grep -qE -- "$2" "$1.log" || return 0
        sleep 0.05
    done
    fail "the $1 did not say: $2"
}

word() # SIDE EXPRESSION
{
    python3 - "$@" <<'P' || fail "$1: not $2: $(cat "$1.word")"
import json, sys
text = open(sys.argv[1] + ".word").read()
w = json.loads(text)
sys.exit(0 if len(text) < 4096 and eval(sys.argv[2]) else 1)
P
}

get_from_node() # SIDE URL
{
    local node=NODE_$1

    nsenter --net -t "${!node}" "$TESTS/tools/https_get.py" "$2"
}

# A disk of some data and holes on a loop device of the pod's user.
make_block_disk() # SIDE BYTES [LOSETUP OPTION...]
{
    local side=$1

    truncate -s "$2" "$side.img"
    attach "$side.img" "${@:3}"
    declare -g "DISK_$side=$LOOP"
    chown 107:107 "$LOOP"
    at_exit chown root:disk "$LOOP"
}

make_directory_disk() # SIDE
{
    mkdir -p "$1-volume"
    chown 107:107 "$1-volume"
    declare -g "DISK_$1=$PWD/$1-volume"
}
