#!/bin/bash
# clonewire-source sends to a URL, such as KubeVirt CDI's upload server: over
# HTTP to a foreign server, over clonewire/1 to one of ours; any image format,
# or a directory.
. "$(dirname "$0")/lib.sh"
. "$TESTS/func/lib_cdi.sh"
. "$TESTS/func/lib_cloner.sh"
require qemu-img gzip

make_sparse disk $((4 * MIB + 512))
qemu-img convert -O qcow2 disk disk.qcow2
gzip -1 -k disk

send() # HOST:PORT IMAGE [OPTION...]
{
    SOURCE_DIALS=https://$1/v1beta1/upload run_source "${@:2}"
}

for image in disk disk.qcow2 disk.gz; do
    start_http_server --name source
    send "$SERVER_ADDRESS" $image
    assert_status source 0
    assert_log source 'by http/1.1'
    assert_body disk
    grep -qx 'x-cdi-content-type: blockdevice-clone' body.head ||
        fail "head: $(cat body.head)"
done
grep -q '^cipher  *TLS' source.out || fail "no summary: $(cat source.out)"
! grep -q '^digest' source.out || fail "a digest: $(cat source.out)"

# One of ours: by HTTP only what must be.
mkdir data
start_server data/disk.img
send "$TARGET_ADDRESS" disk.qcow2
assert_status source 0
assert_log source 'by clonewire/1'
grep -q '^digest xxh3-128:' source.out || fail "no digest: $(cat source.out)"
wait_success "Clone Complete"
cmp disk data/disk.img

mkdir tree
echo hello >tree/file
ln tree/file tree/again
start_server "$PWD/data/disk.img"
send "$TARGET_ADDRESS" tree
assert_status source 0
wait_success "Clone Complete"
cmp tree/file data/file
[ data/file -ef data/again ] || fail "a hard link became two files"

# A directory with nothing but a disk is that disk.
mkdir volume
cp --sparse=always disk volume/disk.img
rm -rf data
mkdir data
start_server "$PWD/data/disk.img"
send "$TARGET_ADDRESS" volume
assert_status source 0
assert_log source 'by clonewire/1'
wait_success "Clone Complete"
cmp disk data/disk.img

# What it cannot do by HTTP is not promised; and a refusal is told in full.
misused() # REGEX OPTION...
{
    send 127.0.0.1:1 disk "${@:2}"
    assert_status source 2
    assert_log source "$1"
}
misused 'rate' --rate 1MiB
misused 'receipt' --receipt receipt
misused 'delta' --delta
SOURCE_DIALS=https://127.0.0.1:1/ run_source - <disk
assert_status source 2
assert_log source 'standard input'
start_http_server --name another
send "$SERVER_ADDRESS" disk
assert_log source 'does not know us \(status code 401\): our certificate is CN=source'
[ "$SOURCE_STATUS" != 0 ] || fail "401 is a success"
