# shellcheck shell=bash
# lib.sh - what the checks on a real cluster share: "namespace=NAME; . lib.sh".
# A namespace and local volumes of its own, all of which is removed at the end.
set -euo pipefail
read -ra kubectl <<<"${KUBECTL:-kubectl}"
node=${NODE:-node1}
image=${IMAGE:-localhost/clonewire-test:latest}
work=$(mktemp -d)
loops=()

k()
{
    "${kubectl[@]}" -n "$namespace" "$@"
}

undo()
{
    local status=$? loop

    trap - EXIT
    k delete pod,pvc,secret --all --grace-period=1 --timeout=60s \
        >/dev/null 2>&1 || :
    k delete pv -l "made-for=$namespace" --timeout=30s >/dev/null 2>&1 || :
    k delete namespace "$namespace" --timeout=60s >/dev/null 2>&1 || :
    for loop in "${loops[@]}"; do
        losetup -d "$loop" || :
    done
    rm -rf "$work"
    exit $status
}
trap undo EXIT
trap 'exit 1' INT TERM

fail()
{
    local pod

    echo "FAILED: $*" >&2
    k get pods -o wide >&2
    for pod in $(k get pods -o name); do
        k logs "$pod" --tail=20 >&2 || :
    done
    exit 1
}

# make_namespace: it admits what the standard "restricted" allows
make_namespace()
{
    k apply -f - <<END >/dev/null
apiVersion: v1
kind: Namespace
metadata:
  name: $namespace
  labels: {pod-security.kubernetes.io/enforce: restricted}
END
    # A cluster of before Kubernetes 1.23 does not know that label.
    if k apply --dry-run=server -f - <<END >"$work/log" 2>&1; then
apiVersion: v1
kind: Pod
metadata: {name: privileged}
spec:
  containers:
    - {name: root, image: "$image", securityContext: {privileged: true}}
END
        echo "this cluster admits privileged pods: \"restricted\" is not shown"
    else
        echo "privileged pods are refused:" \
            "$(tail -n 1 "$work/log" | grep -o 'is forbidden.*' | cut -c 1-80)"
    fi
}

# volume NAME MODE PATH MIB: a claim of that name, bound to a local volume
volume()
{
    k delete pvc "$1" --ignore-not-found >/dev/null
    k delete pv "$namespace-$1" --ignore-not-found >/dev/null 2>&1
    k apply -f - <<END >/dev/null
apiVersion: v1
kind: PersistentVolume
metadata:
  name: $namespace-$1
  labels: {made-for: $namespace}
spec:
  capacity: {storage: $4Mi}
  accessModes: [ReadWriteOnce]
  volumeMode: $2
  storageClassName: $namespace
  local: {path: $3}
  claimRef: {namespace: $namespace, name: $1}
  nodeAffinity:
    required:
      nodeSelectorTerms:
        - matchExpressions:
            - {key: kubernetes.io/hostname, operator: In, values: [$node]}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: $1}
spec:
  accessModes: [ReadWriteOnce]
  volumeMode: $2
  storageClassName: $namespace
  volumeName: $namespace-$1
  resources: {requests: {storage: $4Mi}}
END
}

# wait_phase POD PHASE
wait_phase()
{
    local phase='' i

    for ((i = 0; i < 240; i++)); do
        phase=$(k get pod "$1" -o 'jsonpath={.status.phase}')
        case $phase in Succeeded | Failed) break ;; esac
        sleep 0.5
    done
    [ "$phase" = "$2" ] || fail "$1 is $phase"
}

# loop NAME MIB [LOSETUP OPTION...]: NAME.img on a device, in LOOP
loop()
{
    truncate -s "$2M" "$work/$1.img"
    LOOP=$(losetup -f --show "${@:3}" "$work/$1.img")
    loops+=("$LOOP")
}
