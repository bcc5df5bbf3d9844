#!/bin/bash
# With --scratch, an image that one pass does not suffice for arrives from a
# pipe, and from a file that is packed in zstd or twice. No file remains there.
. "$(dirname "$0")/lib.sh"
require qemu-img qemu-io gzip xz zstd jq

size=$((24 * MIB))
make_sparse disk.raw $size
put_noise disk.raw $((8 * MIB)) $((9 * MIB))
mkdir scratch

arrives() # WANT FILE [PACKER…]: through a pipe, and as a file if it is packed
{
    local want=$1 file=$2 packer

    shift 2
    cp "$file" packed
    for packer; do
        $packer <packed >again
        mv again packed
    done
    # shellcheck disable=SC2002
    cat packed | "$SOURCE" - --scratch scratch --to copy >source.out \
        2>source.log || fail "$file $*: $(tail -n 1 source.log)"
    assert_same "$want" copy $size
    rm copy
    [ $# -gt 0 ] || return 0
    "$SOURCE" packed --scratch scratch --to copy >source.out 2>source.log \
        </dev/null || fail "file $file $*: $(tail -n 1 source.log)"
    assert_same "$want" copy $size
    rm copy
}

qemu-img convert -O vmdk disk.raw disk.vmdk
qemu-img convert -O vmdk -o subformat=streamOptimized disk.raw disk.stream
qemu-img convert -O vdi disk.raw disk.vdi
qemu-img convert -O vpc -o force_size=on disk.raw disk.vhd
qemu-img convert -O vpc -o subformat=fixed,force_size=on disk.raw fixed.vhd
qemu-img convert -O vhdx disk.raw disk.vhdx
qemu-img convert -O qcow2 -o preallocation=falloc disk.raw falloc.qcow2
qemu-img convert -O qcow2 -o preallocation=full disk.raw full.qcow2
for file in disk.{raw,vmdk,stream,vdi,vhd,vhdx} fixed.vhd {falloc,full}.qcow2; do
    arrives disk.raw $file
    assert_log source 'scratch space'
done
arrives disk.raw disk.vmdk 'xz -0'
arrives disk.raw disk.vdi 'zstd -q'
arrives disk.raw disk.raw 'zstd -q'
arrives disk.raw disk.raw 'xz -0' 'gzip -1'
assert_log source 'scratch space'
arrives disk.raw disk.vhdx 'zstd -q' 'xz -0'
arrives disk.raw falloc.qcow2 'gzip -1' 'zstd -q'

# One that a machine has written: a snapshot, a longer table, clusters in any
# order, and compressed ones between them.
qemu-img convert -c -O qcow2 disk.raw old.qcow2
qemu-img snapshot -c before old.qcow2
qemu-io -c 'write -P 7 1M 3M' -c 'write -P 9 9M 64k' \
    -c 'write -P 3 517k 1k' old.qcow2 >/dev/null
qemu-img convert -O raw old.qcow2 old.raw
arrives old.raw old.qcow2
assert_log source 'reading them from scratch space'
arrives old.raw old.qcow2 'xz -0'

# Over the network, by several lanes, with the same digest as the file.
clone disk.raw copy
digest=$(digest_of source)
rm copy
# shellcheck disable=SC2016
printf '#!/bin/bash\ncat disk.vmdk | "$@"\n' >piped
chmod +x piped
SOURCE_UNDER=(./piped) SOURCE_WITH=(--scratch=scratch --lanes=2)
clone - copy
assert_equal "$(digest_of source)" "$digest" digest
SOURCE_UNDER=() SOURCE_WITH=()
# shellcheck disable=SC2002
cat disk.vmdk | "$SOURCE" --inspect --json - --scratch=scratch >inspect.json
assert_equal "$(jq -r .virtual_bytes inspect.json)" $size "inspected size"

# Without it, or without room, the cause and the remedy are named.
refused() # WORDS COMMAND…
{
    SOURCE_STATUS=0
    "${@:2}" >source.out 2>source.log || SOURCE_STATUS=$?
    assert_status source 13
    assert_log source "$1"
}
zstd -q disk.raw
refused 'give --scratch=DIR' "$SOURCE" disk.raw.zst --to no </dev/null
refused 'give scratch space' "$SOURCE" - --to no < <(cat disk.vmdk)
refused 'one pass does not suffice' "$SOURCE" - --to no < <(cat old.qcow2)
head -c 5000000 disk.vmdk >cut.vmdk
refused 'truncated' "$SOURCE" - --scratch=scratch --to no < <(cat cut.vmdk)
head -c -100 disk.raw.zst >cut.zst
refused 'zstd: ends' "$SOURCE" cut.zst --scratch=scratch --to no </dev/null
gzip -1 <disk.raw | gzip -1 | gzip -1 >thrice
refused 'gzip inside' "$SOURCE" thrice --scratch=scratch --to no </dev/null
[ ! -e no ] || fail "a refused image arrived"
[ -z "$(ls -A scratch)" ] || fail "left in scratch: $(ls -A scratch)"

require_root "a small filesystem for scratch space"
require_loop
mkdir small
truncate -s 8M small.img
mkfs.ext4 -q -O ^has_journal small.img
mount_at small small.img -o loop
refused 'scratch space in small is too small' \
    "$SOURCE" - --scratch=small --to no < <(cat disk.vmdk)
refused 'one pass does not suffice.*small is too small|in small is too small' \
    "$SOURCE" - --scratch=small --to no < <(cat full.qcow2)
# An image in order needs no room there.
"$SOURCE" - --scratch=small --to copy2 -q < <(qemu-img convert -O qcow2 \
    disk.raw ordered.qcow2 && cat ordered.qcow2)
assert_same disk.raw copy2 $size
