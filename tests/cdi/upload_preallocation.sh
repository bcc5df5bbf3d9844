#!/bin/bash
# upload_test "Preallocation": with it, the message says that it was applied and
# the whole disk has its space; without it, neither.
. "$(dirname "$0")/../func/lib.sh"
. "$TESTS/func/lib_cdi.sh"
refuse_tmpfs

make_sparse image $((8 * MIB))
mkdir data
for wish in true false; do
    SERVER_ENV=()
    server_env UPLOAD_IMAGE_SIZE=32Mi FILESYSTEM_OVERHEAD=0.06 \
        PREALLOCATION=$wish
    start_server data/disk.img
    upload image
    assert_answer 200
    wait_success "Upload Complete" $wish
    size=$(disk_bytes data/disk.img)
    taken=$(allocated_bytes data/disk.img)
    if [ $wish = true ]; then
        [ "$taken" -ge "$size" ] || fail "reserved $taken of $size"
    else
        [ "$taken" -lt "$size" ] || fail "not sparse"
    fi
    rm data/disk.img
done
