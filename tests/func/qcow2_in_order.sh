#!/bin/bash
# A qcow2 image from a pipe, or inside gzip or xz, is read once where its order
# allows, as always from qemu-img convert. Otherwise a file is decoded again,
# and a pipe is refused.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
require qemu-img qemu-io gzip xz
# shellcheck source=lib_corpus.sh
. "$(dirname "$0")/lib_corpus.sh"

AGAIN='decoding them again'
REFUSED='one pass does not suffice.*put it into a file'

copy_here() # IMAGE [OPTION...]: standard input is ours
{
    SOURCE_STATUS=0
    timeout "$LONGEST" "$SOURCE" "$@" --to copy.raw >source.out \
        2>source.log || SOURCE_STATUS=$?
}

is_right() # RAW
{
    assert_status source 0
    assert_log source 'read in one pass'
    assert_same "$1" copy.raw "$(stat -c %s "$1")"
    rm copy.raw
}

# ---- what one pass must suffice for ----

size=$((12 * MIB + 512))
make_sparse disk.raw $size
"$SOURCE" --digest disk.raw >want.digest

passes=0

in_one_pass() # NAME.qcow2: each fourth in xz, too, which takes its time
{
    local forms=(gz) form

    gzip -1 -c "$1" >in.gz
    if [ $((passes++ % 4)) = 0 ]; then
        forms+=(xz)
        xz -0 -T2 --block-size=2MiB -c "$1" >in.xz # decoded by threads
        copy_here - --io-engine=threads < <(cat in.gz)
        is_right disk.raw
    fi
    copy_here - < <(cat "$1")
    is_right disk.raw
    for form in "${forms[@]}"; do
        copy_here in.$form
        is_right disk.raw
        refute_log source "$AGAIN"
    done
}

convert() # CONVERT OPTION...
{
    echo "$*"
    rm -f in.qcow2
    qemu-img convert -O qcow2 "$@" disk.raw in.qcow2
    in_one_pass in.qcow2
}

convert -o cluster_size=64k
convert -o compat=0.10,cluster_size=512
convert -o cluster_size=2k
convert -o cluster_size=2M
convert -c
convert -c -o cluster_size=2M
convert -c -o compression_type=zstd,cluster_size=128k
convert -o extended_l2=on,cluster_size=32k
convert -o preallocation=metadata
convert -W -m 16
convert -W -m 16 -c

# By network, with digests compared, and --digest.
SOURCE_UNDER=(bash -c 'cat in.qcow2 | "$@"' -) SOURCE_WITH=(--lanes=2)
clone - copy.raw
assert_same disk.raw copy.raw $size
assert_allocation disk.raw copy.raw
rm copy.raw
SOURCE_UNDER=()
clone in.gz copy.raw
assert_same disk.raw copy.raw $size
rm copy.raw
assert_equal "$("$SOURCE" --digest in.gz 2>/dev/null)" \
    "$(cat want.digest)" "digest of gzip"
assert_equal "$(cat in.qcow2 | "$SOURCE" --digest - 2>/dev/null)" \
    "$(cat want.digest)" "digest of a pipe"

# The checksum stands behind all of it, and is believed before the copy is.
{
    head -c -8 in.gz
    printf '12345678'
} >bad.gz
cp in.gz longer.gz && echo garbage >>longer.gz
xz -0 -c in.qcow2 | head -c -20 >short.xz
for broken in bad.gz longer.gz short.xz; do
    copy_here $broken
    assert_status source 13
    [ ! -e copy.raw ] || fail "$broken arrived"
    copy_here - < <(cat $broken)
    assert_status source 13
    [ ! -e copy.raw ] || fail "$broken arrived through a pipe"
done
start_target copy.raw --once
run_source bad.gz
wait_target
assert_both_fail 13 'gzip: incorrect data check'
[ ! -e copy.raw ] || fail "bad.gz arrived by network"

# ---- what it may not suffice for ----

once=0 refused=0 again=0

arrives() # NAME
{
    gzip -1 -c "$1.qcow2" >in.gz
    copy_here in.gz
    is_right "$1.raw"
    ! grep -q "$AGAIN" source.log || again=$((again + 1))
    copy_here - < <(cat "$1.qcow2")
    if [ $SOURCE_STATUS = 0 ]; then
        is_right "$1.raw"
        once=$((once + 1))
        return
    fi
    assert_status source 13
    assert_log source "$REFUSED"
    [ ! -e copy.raw ] || fail "$KIND: half of it arrived"
    refused=$((refused + 1))
}

# A third of the kinds, another one with each seed.
kinds=("${CORPUS_KINDS[@]}") CORPUS_KINDS=()
pick 3
for ((i = PICKED; i < ${#kinds[@]}; i += 3)); do
    CORPUS_KINDS+=("${kinds[i]}")
done
each_kind arrives
echo "$once in one pass, $refused refused through a pipe, $again read again"
assert_equal $again $refused "what a pipe refuses is what a file reads again"
