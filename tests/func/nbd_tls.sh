#!/bin/bash
# An NBD server is reached over TLS, with the certificates or the key of the
# clone, or with those that the URI names; a stranger's are refused.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib_nbd.sh"
require nbdkit

SIZE=$((4 * MIB))
make_dense image $SIZE
mkdir pki client
ln -s "$CERTS/ca.crt" pki/ca-cert.pem
ln -s "$CERTS/target.crt" pki/server-cert.pem
ln -s "$CERTS/target.key" pki/server-key.pem
ln -s "$CERTS/ca.crt" client/ca-cert.pem
ln -s "$CERTS/source.crt" client/client-cert.pem
ln -s "$CERTS/source.key" client/client-key.pem
uri="nbds+unix:///?socket=$NBD_SOCKET"

read_disk() # URI OPTION...
{
    "$SOURCE" --digest "$@" >digest.out 2>digest.log
}

serve_nbd nbdkit -f -U "$NBD_SOCKET" --tls=require --tls-verify-peer \
    --tls-certificates="$WORK/pki" file image
want=$("$SOURCE" --digest image)
clone "$uri" copy
assert_same image copy $SIZE
[ -z "$(ls -d /dev/shm/clonewire-nbd-* 2>/dev/null)" ] ||
    fail "the directory of certificates was left"
read_disk "$uri&tls-certificates=$WORK/client" || fail "$(cat digest.log)"
assert_equal "$(cat digest.out)" "$want" "digest"
! read_disk "$uri" --cert "$CERTS/source-stranger.crt" \
    --key "$CERTS/source-stranger.key" --ca "$CERTS/ca.crt" ||
    fail "a stranger was let in"
! read_disk "$uri" --ca "$CERTS/stranger-ca.crt" ||
    fail "a strange server was believed"
! read_disk "nbd+unix:///?socket=$NBD_SOCKET" || fail "read without TLS"
stop_nbd

serve_nbd nbdkit -f -U "$NBD_SOCKET" --tls=require \
    --tls-psk="$CERTS/psk.txt" file image
read_disk "$uri" --psk-file "$CERTS/psk.txt" || fail "$(cat digest.log)"
assert_equal "$(cat digest.out)" "$want" "digest"
read_disk "nbds+unix://clone@/?socket=$NBD_SOCKET&tls-psk-file=$CERTS/psk.txt" ||
    fail "$(cat digest.log)"
! read_disk "$uri" --psk-file "$CERTS/psk-wrong.txt" || fail "a wrong key"
