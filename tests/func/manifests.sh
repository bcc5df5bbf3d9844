#!/bin/bash
# A cluster accepts the manifests in deploy/, field by field, under the
# "restricted" pod security standard. Their options exist.
. "$(dirname "$0")/lib.sh"
require python3 openssl
python3 -c 'import yaml' 2>/dev/null || skip "python3 has no yaml module"
deploy=$TESTS/../deploy options=$TESTS/../docs/options.md

check() # DEPLOY
{
    "$TESTS/tools/manifests.py" "$1" "$options" ${CW_K8S_SWAGGER:+"$CW_K8S_SWAGGER"}
}

check "$deploy" || fail "deploy/ is not right"

# The check finds what it is there for.
wrong() # FILE SED-SCRIPT REGEX
{
    rm -rf deploy
    cp -r "$deploy" deploy
    sed -i "$2" "deploy/$1"
    ! check deploy >found || fail "$1 with $2 passed"
    grep -qE -- "$3" found || fail "no $3 in: $(cat found)"
}

pod=base/pods/target-block.yaml
wrong $pod 's/readinessProbe/readynessProbe/' 'readynessProbe: no such field'
wrong $pod 's/runAsUser: 107/runAsUser: "107"/' 'runAsUser: .*wrong type'
wrong $pod 's/drop: .ALL./drop: [NET_RAW]/' 'keeps capabilities'
wrong $pod 's/CLONEWIRE_DEST/CLONEWIRE_DESTINATION/' 'is not an option'
wrong $pod 's/image: /image: registry.example\//' 'names a registry'
wrong $pod '0,/name: disk/s//name: disc/' 'volumes'
wrong $pod 's/memory: 256Mi/memory: 512Mi/' 'not the pod of'
wrong base/network.yaml 's/kind: Service/kind: Servise/' 'no kind'
wrong $pod '/timeoutSeconds/d' 'Probe has no timeoutSeconds'
wrong $pod '0,/app.kubernetes.io.instance/{//d}' 'no label app.kubernetes.io/instance'
wrong $pod '0,/name: clonewire-target/s//name: target/' 'does not begin with clonewire'
job=base/jobs/target-block.yaml
wrong $job 's/10, 11, 12/10, 12, 14/' 'FailJob for'
wrong $job 's/restartPolicy: Never/restartPolicy: OnFailure/' 'needs restartPolicy Never'
wrong $job '/ttlSeconds/d' 'is never removed'
wrong base/network.yaml 's/instance: clonewire/instance: other/' 'not of the instance|does not begin'
wrong second-clone/kustomization.yaml 's/volumes.1.secret/volumes\/7\/secret/' 'to patch'
wrong cert-manager.yaml 's/dnsNames/dnsName/' 'dnsName: no such field'
wrong base/kustomization.yaml 's/- network.yaml/- netwerk.yaml/' 'no netwerk'

# Secrets that are really made have the same shape, and both programs take
# what is in them, as text in the environment.
"$deploy/make-secrets" >secrets.yaml
mkdir made
cp secrets.yaml made/
check made >/dev/null || fail "make-secrets makes no Secrets"
"$deploy/make-secrets" 1 vm7-clonewire >made/secrets.yaml
check made >/dev/null || fail "make-secrets makes no Secrets of another clone"
grep -q 'name: vm7-clonewire-target-tls' made/secrets.yaml ||
    fail "make-secrets takes no instance"
take() # SIDE FIELD
{
    python3 - "$@" <<'P'
import base64, sys, yaml
for s in yaml.safe_load_all(open("secrets.yaml")):
    if s["metadata"]["name"] == f"clonewire-{sys.argv[1]}-tls":
        print(base64.b64decode(s["data"][sys.argv[2]]).decode())
P
}
make_dense image $((4 * MIB))
(
    CLONEWIRE_CERT=$(take target tls.crt) CLONEWIRE_KEY=$(take target tls.key)
    CLONEWIRE_CA=$(take target ca.crt)
    export CLONEWIRE_CERT CLONEWIRE_KEY CLONEWIRE_CA
    exec "$TARGET" --listen 127.0.0.1:0 --peer-name clonewire-source copy \
        >target.out 2>target.log
) &
TARGET_PID=$!
at_exit stop_process $TARGET_PID
wait_listening
CLONEWIRE_CERT=$(take source tls.crt) CLONEWIRE_KEY=$(take source tls.key) \
    CLONEWIRE_CA=$(take source ca.crt) "$SOURCE" \
    --server-name clonewire-target image "$TARGET_ADDRESS" \
    >source.out 2>source.log || fail "no clone with secrets from the environment"
wait_target
assert_status target 0
assert_same image copy $((4 * MIB))
