#!/bin/bash
# On a filesystem that reports data as holes, the whole disk arrives, at the
# cost of time only, wherever holes are skipped. Each side logs it.
. "$(dirname "$0")/lib.sh"
. "$TESTS/func/lib_cloner.sh"
require qemu-img jq
BLIND=("$TOOLS/blindseek")
"${BLIND[@]}" true || skip "no seccomp filters here"

DATA=$((4 * MIB))
SIZE=$((24 * MIB))
WARNING='reading its holes, too: .*--holes=trust'

make_empty image $SIZE
put_noise image 0 $DATA
put_noise image $((SIZE - MIB)) $MIB
sync image
qemu-img convert -O qcow2 image image.qcow2
qemu-img create -q -f qcow2 -b image -F raw top.qcow2
wanted=$("$SOURCE" --digest image)

# Over the network, and within the machine: told in log, summary and receipt.
SOURCE_UNDER=("${BLIND[@]}")
SOURCE_WITH=(--receipt receipt.json)
for disk in image image.qcow2; do
    clone "$disk" copy
    assert_same image copy $SIZE
    assert_log source "$disk: $WARNING"
    assert_log source '^holes +read, not skipped'
    assert_equal "$(jq -r .holes receipt.json)" read "holes in the receipt"
    assert_allocation image copy
    rm copy
done
SOURCE_WITH=()
"${BLIND[@]}" "$SOURCE" --allow-backing . top.qcow2 --to copy \
    --log-format=json >summary.json 2>source.log
assert_same image copy $SIZE
assert_equal "$(jq -r 'select(.holes) | .holes' summary.json)" read "in JSON"
assert_log source "image: $WARNING"

# Whatever else asks where the data is.
for disk in image image.qcow2; do
    assert_equal "$("${BLIND[@]}" "$SOURCE" --digest "$disk" 2>/dev/null)" \
        "$wanted" "digest of $disk"
done
"${BLIND[@]}" "$SOURCE" --map --json image >map.json 2>source.log
assert_equal "$(jq '[.[] | select(.type != "zero") | .length] | add' map.json)" \
    $SIZE "bytes of data in the map"
assert_log source "image: $WARNING"
assert_equal "$("${BLIND[@]}" "$TARGET" --digest copy 2>/dev/null)" "$wanted" \
    "digest on the target"

# The target's own disk, read back and compared.
SOURCE_UNDER=()
TARGET_UNDER=("${BLIND[@]}")
TARGET_WITH=(--delta --verify=readback)
put_noise image $MIB $((64 * KIB)) 9
SOURCE_WITH=(--delta)
clone image copy
assert_same image copy $SIZE
assert_log source '^not sent again'
TARGET_UNDER=() TARGET_WITH=() SOURCE_WITH=()

# The files of a volume.
mkdir volume unpacked
cp --sparse=always image volume/disk
echo text >volume/text
sync volume/disk
SOURCE_UNDER=("${BLIND[@]}")
start_http_server
run_cloner filesystem "$PWD/volume"
assert_complete
wait_process "$SERVER_PID" server
tar -xC unpacked <body
diff -r volume unpacked || fail "other content"
assert_log source "disk: $WARNING"
SOURCE_UNDER=()

# As it was told to: what is trusted is not looked at, what is scanned is read.
"${BLIND[@]}" "$SOURCE" --holes=trust --map --json image >map.json
assert_equal "$(jq -c '[.[] | .type]' map.json)" '["zero"]' "map on trust"
rm copy
SOURCE_WITH=(--holes=scan)
clone image copy
assert_same image copy $SIZE
assert_log source '^holes +read'
refute_log source 'reading its holes'
assert_allocation image copy
SOURCE_WITH=()

# Honest holes stay unread, also those of an image whose space is reserved.
rm copy
clone image copy
refute_log source '^holes|reading its holes'
if fallocate -l $SIZE reserved 2>/dev/null &&
    filefrag -v reserved 2>/dev/null | grep -q unwritten; then
    "$SOURCE" --map --json reserved >map.json 2>source.log
    data=$(jq '[.[] | select(.type != "zero") | .length] | add' map.json)
    [ "$data" -lt $MIB ] || fail "$data bytes of reserved space are read"
    refute_log source 'reading its holes'
fi

# A type of filesystem that has a bug of its own.
if [ -e /dev/fuse ] && [ "$(id -u)" = 0 ] && command -v nbdfuse nbdkit \
    >/dev/null; then
    mkdir gluster
    nbdfuse -o subtype=glusterfs gluster/disk \
        --command nbdkit -s memory 4M >fuse.out 2>&1 </dev/null &
    at_exit stop_process $!
    at_exit umount gluster
    wait_exists gluster/disk $! || skip "nbdfuse: $(cat fuse.out)"
    "${BLIND[@]}" "$SOURCE" --map --json gluster/disk >map.json 2>source.log
    assert_log source "$WARNING"
    assert_log source 'GlusterFS issue 1228'
    assert_equal "$(jq -c '[.[] | .type]' map.json)" '["data"]' "on GlusterFS"
fi
