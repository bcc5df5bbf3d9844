#!/bin/bash
# A new connection uses what was renewed during the old one: certificates, keys
# and CA on both sides, and the address of a name.
. "$(dirname "$0")/../func/lib.sh"
. "$(dirname "$0")/lib_resume.sh"
require python3

SIZE=$((64 * MIB))

install_set() # SUFFIX CA: what both sides find in their files
{
    local side

    for side in source target; do
        cp "$CERTS/$side$1.key" $side.key
        cp "$CERTS/$side$1.crt" $side.crt
    done
    cp "$CERTS/$2.crt" ca.crt
}

end()
{
    both_succeed
    assert_same image copy $SIZE
    assert_equal "$(count_of source reconnects)" 1 "reconnects"
}

make_dense image $SIZE
install_set '' ca
SOURCE_IDENTITY=(--cert source.crt --key source.key --ca ca.crt)
TARGET_IDENTITY=(--cert target.crt --key target.key --ca ca.crt)
start_target copy --once
start_flaky cut $((40 * MIB)) 1
start_source image --rate 16MiB
wait_log source copying || fail "it did not begin"
install_set -stranger stranger-ca # the old ones are good for nothing now
end
SOURCE_DIALS=

# The target comes back at another address of the same name.
[ "$(id -u)" = 0 ] || exit 0
unshare -m true 2>/dev/null || skip "no mount namespace"
rm copy
echo "127.0.0.1 target" >hosts
cat >with-hosts <<'END'
#!/bin/bash
mount --bind hosts /etc/hosts && exec "$@"
END
chmod +x with-hosts
start_target copy
port=${TARGET_ADDRESS##*:}
SOURCE_UNDER=(unshare -m ./with-hosts)
SOURCE_DIALS=target:$port
start_source image --rate 16MiB --job-id the-job
wait_log source copying || fail "it did not begin"
stop_process "$TARGET_PID"
LISTEN=127.0.0.2:$port
echo "127.0.0.2 target" >hosts
start_target copy
end
assert_log source 'connected to 127.0.0.2:'
