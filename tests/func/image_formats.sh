#!/bin/bash
# One disk in every image format: the same bytes and digest arrive, and holes
# remain holes. A damaged image leaves no copy.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
require qemu-img qemu-io gzip xz

size=$((24 * MIB + 512))
make_sparse disk.raw $size
digest=

convert() # NAME OPTIONS [CONVERT OPTION...]
{
    qemu-img convert -O qcow2 -o "$2" "${@:3}" disk.raw "$1"
}

arrives() # IMAGE FORMAT [OPTION...]
{
    SOURCE_WITH=("${@:3}")
    clone "$1" copy.raw
    assert_log source "$2"
    assert_same disk.raw copy.raw $size
    assert_allocation disk.raw copy.raw
    [ -n "$digest" ] || digest=$(digest_of source)
    assert_equal "$(digest_of source)" "$digest" "digest of $1"
    rm copy.raw
}

arrives disk.raw raw

convert plain.qcow2 cluster_size=64k
convert small.qcow2 compat=0.10,cluster_size=512
convert zlib.qcow2 cluster_size=64k -c
convert zstd.qcow2 compression_type=zstd -c
convert sub.qcow2 extended_l2=on,cluster_size=128k
for image in plain small zlib zstd sub; do
    arrives $image.qcow2 qcow2
done
arrives plain.qcow2 qcow2 --format=qcow2 --lanes=2 --io-engine=threads
arrives zlib.qcow2 'compared with libqcow' --cross-check=20
refute_log source ' 0 compared with libqcow'

gzip -1 -c disk.raw >disk.gz
gzip -1 -c plain.qcow2 >plain.gz
xz -0 -T2 --block-size=2MiB -c disk.raw >blocks.xz
xz -0 -T1 -c disk.raw >single.xz
xz -0 --block-size=2MiB -c plain.qcow2 >plain.xz
arrives disk.gz 'raw in gzip' --lanes=2
arrives disk.gz 'raw in gzip' --size=$size
arrives plain.gz 'qcow2 in gzip'
arrives blocks.xz 'raw in xz' --lanes=2
arrives single.xz 'raw in xz' --lanes=2
arrives plain.xz 'qcow2 in xz' --lanes=2

# A QCOW2 that is said to be raw is copied as it stands.
SOURCE_WITH=(--format=raw)
clone plain.qcow2 copy.raw
cmp plain.qcow2 copy.raw
rm copy.raw

qemu-img create -q -f qcow2 -b plain.qcow2 -F qcow2 overlay.qcow2
arrives overlay.qcow2 qcow2 --allow-backing=. --lanes=2

# ---- broken ones ----

breaks() # IMAGE WORDS [OPTION...]
{
    SOURCE_WITH=("${@:3}")
    start_target copy.raw
    run_source "$1"
    assert_status source 13
    assert_log source "$2"
    [ ! -e copy.raw ] || fail "$1 arrived"
    stop_process "$TARGET_PID" || true
    rm -rf .copy.raw.clonewire-*
}

shorten() # FILE BYTES: so many fewer
{
    cp "$1" short
    truncate -s -"$2" short
}

shorten zlib.qcow2 70000
breaks short 'truncated|damaged'
shorten disk.gz 3
breaks short 'cut off' --size=$size
shorten disk.gz 300000
breaks short 'cut off'
cp disk.gz longer && echo garbage >>longer
breaks longer 'trailing garbage'
breaks longer 'trailing garbage' --size=$size
cp blocks.xz flipped
printf '\377\377\377\377' |
    dd of=flipped bs=1 seek=$((2 * MIB)) conv=notrunc status=none
breaks flipped 'damaged'
breaks overlay.qcow2 'backing file'
qemu-img convert -O vmdk -o subformat=monolithicFlat disk.raw flat.vmdk
breaks flat.vmdk 'VMDK descriptor'
