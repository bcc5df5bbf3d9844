#!/bin/bash
# A pipe given by name is refused at once, with the way to give it.
. "$(dirname "$0")/lib.sh"

make_dense image $((64 * KIB))
mkfifo fifo
refused() # IMAGE
{
    SOURCE_STATUS=0
    timeout 20 "$SOURCE" "$1" --size $((64 * KIB)) --to copy >source.out \
        2>source.log || SOURCE_STATUS=$?
    assert_status source 30
    assert_log source 'standard input: name - as the image'
}
refused fifo
refused <(cat image)
cat image | refused /dev/stdin
cat image | "$SOURCE" - --size $((64 * KIB)) --to copy -q
cmp image copy
