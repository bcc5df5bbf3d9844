#!/bin/bash
# In a memory limit, an image whose dictionary does not fit is refused with the
# needed and the available memory, and no process is killed.
. "$(dirname "$0")/lib.sh"
. "$TESTS/func/lib_cdi.sh"
. "$(dirname "$0")/lib_memory.sh"
require xz zstd

make_memory_group both $((64 * MIB))
make_dense image $((3 * MIB))
xz -9 -c image >image.9.xz # says 64 MiB, whatever it holds
xz -6 -c image >image.6.xz
zstd -q --ultra -22 --long=27 -c < <(cat image) >image.27.zst
zstd -q -c < <(cat image) >image.zst

mkdir data
TARGET_UNDER=("${UNDER_LIMIT[@]}")
start_server data/disk.img
refused() # FILE NEED
{
    upload "$1"
    assert_answer 500 "needs $2 MiB to decode, more than the "
    assert_answer 500 "that the memory limit of 64 MiB leaves for it: raise"
}
refused image.9.xz 65
refused image.27.zst 128
for file in image.6.xz image.zst; do
    upload $file
    assert_answer 200
    wait_success "Upload Complete"
    cmp image data/disk.img
    rm data/disk.img
    start_server data/disk.img
done
TARGET_UNDER=()

# From a file, by lanes, as well.
SOURCE_STATUS=0
"${UNDER_LIMIT[@]}" "$SOURCE" image.9.xz --to copy 2>source.log || SOURCE_STATUS=$?
assert_status source 13
assert_log source 'needs 65 MiB .* raise the limit by [0-9]+ MiB, or use xz -6'
"${UNDER_LIMIT[@]}" "$SOURCE" image.6.xz --to copy -q
cmp image copy

# Without a limit they are read.
rm copy
"$SOURCE" image.9.xz --to copy -q
cmp image copy
