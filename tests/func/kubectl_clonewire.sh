#!/bin/bash
# kubectl clonewire moves disks between claims, within a cluster and between
# two; what it makes is right for a cluster, is gone at the end however that
# comes, and has a key that no command line shows.  The pods of the stand-in for
# kubectl are the real programs.
. "$(dirname "$0")/lib.sh"
require python3 setsid
python3 -c 'import yaml' 2>/dev/null || skip "python3 has no yaml module"
plugin=$TESTS/../deploy/kubectl-clonewire

mkdir bin stub stub/objects stub/made one two
# The interpreter itself: what finds it may take longer than a call.
printf '#!/bin/sh\nexec %q %q "$@"\n' "$(python3 -c 'import sys; print(sys.executable)')" \
    "$TESTS/tools/kubectl_stub.py" >bin/kubectl
chmod +x bin/kubectl
ln -s "$plugin" bin/kubectl-clonewire
export PATH=$WORK/bin:$PATH STUB_DIR=$WORK/stub STUB_PROGRAMS=${SOURCE%/*}
make_dense one/disk.img $((3 * MIB))
cat >stub/claims <<END
- vms disk Filesystem $WORK/one
- vms copy Filesystem $WORK/two
- vms block Block $WORK/one/disk.img
- default disk Filesystem $WORK/one
west default copy Block $WORK/west
END

run() # STATUS ARGUMENT...: its status is STATUS, and nothing is left
{
    local status=0

    : >stub/calls
    rm -f stub/made/*
    kubectl-clonewire "${@:2}" >plugin.out 2>plugin.log || status=$?
    assert_equal $status "$1" "status of kubectl clonewire ${*:2}"
    assert_equal "$(ls stub/objects)" "" "left in the cluster"
}

# Right for a cluster, field by field; and no call names the key.
check_made()
{
    local key

    "$TESTS/tools/manifests.py" stub/made "$TESTS/../docs/options.md" >found ||
        fail "$(cat found)"
    key=$(sed -n 's/.*psk: clonewire:\([0-9a-f]*\)$/\1/p' stub/made/*secret* | sort -u)
    assert_equal "${#key}" 64 "hex digits of the one key"
    ! grep -F "$key" stub/calls plugin.out plugin.log || fail "the key is shown"
    echo "$key" >>keys
}

run 0 vms/disk vms/copy
cmp one/disk.img two/disk.img
check_made
assert_equal "$(grep -c 'readOnly: true' stub/made/*,pod,*-source.yaml)" 2 \
    "read-only mounts of the source: key and disk"
grep -q '^digest xxh3-128:' plugin.log || fail "no summary: $(cat plugin.log)"
assert_equal "$(ls stub/made | wc -l)" 6 "objects: Secret, policy and pod, twice"

# An old copy is replaced only if asked to; the cause is shown.  A block volume,
# a node, an image.
cp two/disk.img before
run 11 vms/disk vms/copy
grep -q 'exists' plugin.log || fail "no cause: $(cat plugin.log)"
cmp before two/disk.img
make_dense one/disk.img $((2 * MIB))
run 0 --yes vms/block vms/copy --node node-7 --image registry/clonewire:9
cmp one/disk.img two/disk.img
check_made
assert_equal "$(grep -l 'kubernetes.io/hostname: node-7' stub/made/* | wc -l)" 2 "pods on the node"
assert_equal "$(grep -l 'image: registry/clonewire:9' stub/made/* | wc -l)" 2 "pods of the image"

# Two clusters: the target has a load balancer's address.
run 0 disk copy --to-context west
cmp one/disk.img west
check_made
grep -q 'type: LoadBalancer' stub/made/west,default,service,* ||
    fail "no load balancer: $(ls stub/made)"
assert_equal "$(sort -u keys | wc -l)" "$(wc -l <keys)" "keys, one for a clone"

# Nothing changes with --dry-run, and the key is not there.
: >stub/calls
kubectl-clonewire --dry-run vms/disk vms/copy >dry.yaml
! grep -E '^create|^delete| create | delete ' stub/calls ||
    fail "--dry-run changed something"
mkdir dry
mv dry.yaml dry/
"$TESTS/tools/manifests.py" dry "$TESTS/../docs/options.md" >found ||
    fail "$(cat found)"
! grep -E '[0-9a-f]{64}' dry/dry.yaml || fail "--dry-run shows a key"

# Wrong usage is said before anything is done.
wrong() # REGEX ARGUMENT...
{
    run 2 "${@:2}"
    grep -qE -- "$1" plugin.log || fail "${*:2}: $(cat plugin.log)"
    ! grep -q create stub/calls || fail "${*:2} made something"
}
wrong 'name two claims' vms/disk
wrong 'more than two claims' a b c
wrong 'no option --nodes' --nodes=x a b
wrong '--node needs a value' a b --node
wrong 'is not a name' a 'b"'
wrong 'are one claim' vms/disk disk
run 1 vms/disk vms/nothing

# Ctrl-C in mid-clone reaches all processes of the terminal.
rm two/disk.img
export STUB_ENV=CLONEWIRE_RATE=64KiB
: >stub/calls
python3 -c '
import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.setsid()
os.execvp(sys.argv[1], sys.argv[1:])' \
    kubectl-clonewire vms/disk vms/copy >plugin.out 2>plugin.log &
plugin_pid=$!
at_exit stop_process $plugin_pid
deadline=$((SECONDS + LONGEST))
until grep -q -- '--follow' stub/calls; do
    [ $SECONDS -le $deadline ] || fail "it does not follow the source"
    sleep 0.05
done
kill -INT -- -$plugin_pid
status=0
wait_process $plugin_pid "kubectl clonewire" || status=$?
assert_equal $status 130 "status after Ctrl-C"
assert_equal "$(ls stub/objects)" "" "left after Ctrl-C"
