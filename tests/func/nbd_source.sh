#!/bin/bash
# The disk of an NBD server arrives equal. Of its holes and zeros nothing is
# read where the server names them (base:allocation), and nothing sent. The
# queries work on it too.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib_nbd.sh"
. "$(dirname "$0")/../fault/lib_resume.sh"
require qemu-nbd qemu-io qemu-img nbdkit jq

SIZE=$((96 * MIB))
qemu-img create -q -f qcow2 image.qcow2 $SIZE
qemu-io -c 'write -P 7 0 5M' -c 'write -P 9 20M 30M' -c 'write -z 32M 1M' \
    -c 'write -P 3 95M 1M' image.qcow2 >/dev/null
qemu-img convert -O raw image.qcow2 image
digest=$("$SOURCE" --digest image)

# Over a Unix socket, with a connection for each lane.
serve_image image.qcow2 qcow2
SOURCE_WITH+=(--lanes=3)
clone "$NBD_URI" copy
assert_log source 'with a map of its holes, a connection for each lane'
assert_same image copy $SIZE
assert_allocation image copy
assert_equal "$(count_of source zero_bytes)" $((61 * MIB)) "zeros"
assert_equal "$("$SOURCE" --digest "$NBD_URI" 2>/dev/null)" "$digest" "digest"
"$SOURCE" --inspect --json "$NBD_URI" >inspect.json 2>/dev/null
assert_equal "$(jq .virtual_bytes inspect.json)" $SIZE "size"
"$SOURCE" --map --json "$NBD_URI" 2>/dev/null |
    jq -c '[.[] | select(.type == "data") | [.offset, .length]]' >map.json
assert_equal "$(cat map.json)" \
    '[[0,5242880],[20971520,12582912],[34603008,17825792],[99614720,1048576]]' \
    "map"

# Within this machine, by each engine.
for engine in auto threads; do
    "$SOURCE" "$NBD_URI" --to "here-$engine" --io-engine=$engine >here.out 2>&1 ||
        fail "--to: $(cat here.out)"
    assert_same image "here-$engine" $SIZE
done
stop_nbd

# A server for one client, over TCP: all share its connection.
port=$(own_port)
rm copy
qemu-nbd -r -t -b 127.0.0.1 -p "$port" -x disk -f qcow2 image.qcow2 &
NBD_PID=$!
at_exit stop_process $NBD_PID
deadline=$((SECONDS + LONGEST))
until (: <>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do
    [ $SECONDS -le $deadline ] || fail "qemu-nbd never listened"
    sleep 0.05
done
clone "nbd://127.0.0.1:$port/disk" copy
assert_log source 'one connection, as the server allows no more'
assert_same image copy $SIZE
stop_nbd

# Without a map everything is read, and zeros are found.
rm copy
serve_nbd nbdkit -f -U "$NBD_SOCKET" --no-sr file image
clone "nbd+unix:///?socket=$NBD_SOCKET" copy
assert_log source 'without a map of holes: all of it is read'
assert_same image copy $SIZE
assert_allocation image copy
assert_equal "$(count_of source zero_bytes)" $((61 * MIB)) "zeros"
stop_nbd

# In requests of the size that the server takes, and a disk that ends inside a
# sector.
rm copy
make_dense odd $((3 * MIB + 1000))
serve_nbd nbdkit -f -U "$NBD_SOCKET" --filter=blocksize-policy file odd \
    blocksize-maximum=64K blocksize-error-policy=error
clone "nbd+unix:///?socket=$NBD_SOCKET" copy
cmp -n $((3 * MIB + 1000)) odd copy || fail "the odd disk differs"
assert_equal "$(disk_bytes copy)" $((3 * MIB + 1024)) "padded size"
stop_nbd

# What makes no sense is refused in a line.
SOURCE_DIALS=127.0.0.1:1
refused() # STATUS REGEX OPTION...
{
    local status=$1 regex=$2

    shift 2
    run_source "$@"
    assert_status source "$status"
    assert_log source "$regex"
}
refused 75 "connect to nbd.*: .*(refused|No such file)" "$NBD_URI"
serve_image image.qcow2 qcow2
refused 2 'an NBD export is a raw disk: leave --format out' "$NBD_URI" \
    --format=qcow2
refused 30 "connect to nbd.*nosuch" "nbd+unix:///nosuch?socket=$NBD_SOCKET"
refused 2 'does not offer qemu:dirty-bitmap:none' "$NBD_URI" --bitmap=none
refused 2 'bitmap of an NBD export' image --bitmap=none
! "$SOURCE" image --to "$NBD_URI" >to.log 2>&1 || fail "wrote to an export"
grep -q 'an NBD export can be read, but not written' to.log || fail "$(cat to.log)"

# An image that QEMU reads and we do not: the message names the command, which
# works.
stop_nbd
qemu-img convert -O vmdk -o subformat=twoGbMaxExtentSparse image flat.vmdk
refused 13 'serve it with qemu-nbd -r -t -e 0 -f vmdk' flat.vmdk
serve_nbd qemu-nbd -r -t -e 0 -f vmdk --socket="$NBD_SOCKET" flat.vmdk
assert_equal "$("$SOURCE" --digest "nbd+unix:///?socket=$NBD_SOCKET" \
    2>/dev/null)" "$digest" "digest of the VMDK"
