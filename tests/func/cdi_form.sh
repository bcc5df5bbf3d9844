#!/bin/bash
# An upload as a browser form sends it: the part named "file", with other parts
# before and after it.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib_cdi.sh"
require qemu-img

mkdir data
put_noise image $MIB 300001
printf '\r\n--' | dd of=image bs=1 seek=$((MIB + 99)) conv=notrunc status=none
truncate -s 3M image
qemu-img convert -O qcow2 image image.qcow2

for path in /v1{beta,alpha}1/upload-form{,-async}; do
    for file in image image.qcow2; do
        rm -f data/*
        start_server data/disk.img
        curl_as source -F other=nothing -F "file=@$file" -F more=nothing "$path"
        assert_answer 200
        wait_success "Upload Complete"
        assert_same image data/disk.img $((3 * MIB))
    done
done

rm data/disk.img
start_server data/disk.img
curl_as source -F "image=@image" /v1beta1/upload-form
assert_answer 500 'no part is named "file"'
upload image /v1beta1/upload-form
assert_answer 500 'multipart/form-data'
curl_as source -X POST -H "Content-Type: multipart/form-data; boundary=x" \
    --data-binary $'--x\r\nContent-Disposition: form-data; name=file\r\n\r\ncut' \
    /v1beta1/upload-form
assert_answer 500 'last boundary is missing'
[ ! -e data/disk.img ] || fail "something became a disk"
