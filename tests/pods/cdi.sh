#!/bin/bash
# The images that stand in for KubeVirt CDI's, as its controller runs them: by
# their entry points, with its environment and mounts, as user 107 without
# capabilities on a read-only root; a volume of files, and a block volume.
. "$(dirname "$0")/lib_pods.sh"
require_podman
require_image
require_loop
for image in cdi-cloner cdi-uploadserver; do
    podman image exists "$IMAGE-$image" ||
        skip "there is no $IMAGE-$image: the test pods.image makes it"
done
make_nodes
make_secret target
mkdir -p source data
chown 107:107 source data

run() # SIDE NAME [PODMAN OPTION...]: in the background; logs in SIDE.log
{
    local side=$1 name=$2 node=NODE_$1

    : >"$side.word"
    chown 107:107 "$side.word"
    nsenter --net -t "${!node}" podman run --name "cw$$-$side" --rm \
        --network host --add-host target:10.98.0.2 --user 107 --group-add 107 --read-only \
        --cap-drop all --security-opt no-new-privileges \
        -v "$PWD/$side.word:/dev/termination-log" "${@:3}" \
        "$IMAGE-$name" >"$side.log" 2>&1 &
    declare -g "${side^^}_PID=$!"
    at_exit podman rm -f -t 0 "cw$$-$side"
}

run_server() # [PODMAN OPTION...]
{
    run target cdi-uploadserver -v "$PWD/tls-target:/etc/tls:ro" \
        -e TLS_KEY_FILE=/etc/tls/tls.key -e TLS_CERT_FILE=/etc/tls/tls.crt \
        -e CLIENT_CERT_FILE=/etc/tls/ca.crt -e CLIENT_NAME=source \
        -e FILESYSTEM_OVERHEAD=0.06 -e UPLOAD_IMAGE_SIZE=64Mi \
        -e TLS_MIN_VERSION=VersionTLS12 -e PREALLOCATION=false "$@"
    wait_log target 'listening on' || fail "the server never listened"
    assert_equal "$(nsenter --net -t "$NODE_source" curl -sk \
        https://10.98.0.2:8443/healthz)" OK /healthz
}

run_cloner() # MODE PATH [PODMAN OPTION...]
{
    run source cdi-cloner -e VOLUME_MODE="$1" -e MOUNT_POINT="$2" \
        -e CLIENT_KEY="$(cat "$CERTS/source.key")" \
        -e CLIENT_CERT="$(cat "$CERTS/source.crt")" \
        -e SERVER_CA_CERT="$(cat "$CERTS/ca.crt")" -e OWNER_UID=1-2-3 \
        -e UPLOAD_URL=https://target:8443/v1beta1/upload \
        -e PREALLOCATION=false "${@:3}"
    wait_process "$SOURCE_PID" source || fail "the source: status $?"
    wait_process "$TARGET_PID" target || fail "the target: status $?"
    assert_equal "$(cat source.word)" "Clone Complete" "the source's word"
    assert_equal "$(cat target.word)" \
        '{"preallocationApplied":false,"message":"Clone Complete"}' \
        "the target's word"
}

make_sparse disk $((24 * MIB))
cp --sparse=always disk source/disk.img
echo more >source/more
chown 107:107 source/*
run_server -v "$PWD/data:/data"
run_cloner filesystem /var/run/cdi/clone/source \
    -v "$PWD/source:/var/run/cdi/clone/source:ro"
assert_log source 'by http/1.1'
diff -r source data || fail "other files"
assert_equal "$(stat -c %u data/disk.img)" 107 "owner of the disk"
assert_allocation source/disk.img data/disk.img

make_block_disk source $((24 * MIB))
make_block_disk target $((32 * MIB))
dd if=disk of="$DISK_source" bs=1M conv=fsync status=none
run_server --device "$DISK_target:/dev/cdi-block-volume" \
    -e DESTINATION=/dev/cdi-block-volume
run_cloner block /dev/cdi-block-volume \
    --device "$DISK_source:/dev/cdi-block-volume"
assert_log source 'by clonewire/1'
assert_same disk "$DISK_target" $((24 * MIB))

# The server ends when CDI's tests kill it by a shell in its pod (3997, 4000).
run_server -v "$PWD/data:/data"
# podman exec itself may fail, if the container is gone before it has asked for
# the shell's status.
podman exec "cw$$-target" /bin/sh -c "kill 1" || true
STATUS=0
wait_process "$TARGET_PID" target || STATUS=$?
assert_equal "$STATUS" 143 "status of the server"
