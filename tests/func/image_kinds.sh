#!/bin/bash
# Each row of the qcow2 feature table gives the disk that qemu-img makes of it.
# Most are copied with --to, each fifth over the network.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
require qemu-img qemu-io jq
# shellcheck source=lib_corpus.sh
. "$(dirname "$0")/lib_corpus.sh"

count=0

copy_here() # IMAGE
{
    SOURCE_STATUS=0
    timeout "$LONGEST" "$SOURCE" "$1" --to copy.raw >source.out 2>source.log \
        </dev/null || SOURCE_STATUS=$?
    assert_status source 0
}

arrives() # NAME
{
    local bytes

    bytes=$(stat -c %s "$1.raw")
    if [ $((count++ % 5)) = 0 ]; then
        clone "$1.qcow2" copy.raw
    else
        copy_here "$1.qcow2"
    fi
    assert_same "$1.raw" copy.raw "$bytes"
    rm copy.raw
}

each_kind arrives

# As qemu-img convert writes them, in order and compressed.
make_sparse written.raw "$CORPUS_BYTES"
for options in compat=0.10 cluster_size=512 cluster_size=64k cluster_size=2M \
    compression_type=zstd; do
    for packed in '' -c; do
        # shellcheck disable=SC2086 # empty is no option
        qemu-img convert -O qcow2 $packed -o $options written.raw written.qcow2
        arrives written
    done
done

# The zeros of 64 TiB take too long to read: data is compared where it was.
qemu-img create -q -f qcow2 huge.qcow2 64T
qemu-io -c 'write -P 7 1T 128k' -c "write -P 8 $(((64 << 40) - 65536)) 64k" \
    huge.qcow2 >qemu-io.out
"$SOURCE" --map --json huge.qcow2 >map.json
assert_equal "$(jq -c '[.[] | select(.type != "zero") | [.offset, .length]]' \
    map.json)" "[[$((1 << 40)),131072],[$(((64 << 40) - 65536)),65536]]" \
    "data of 64 TiB"
