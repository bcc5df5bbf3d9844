#!/bin/bash
# upload_test "Archive upload": the files of a tar, plain or in gzip or xz, lie
# on the volume as they were.
. "$(dirname "$0")/../func/lib.sh"
. "$TESTS/func/lib_cdi.sh"
require tar gzip xz

mkdir files
make_dense files/tinyCore.iso $MIB
make_dense files/cirros-qcow2.img $MIB 5
for pack in cat gzip xz; do
    for version in v1beta1 v1alpha1; do
        rm -rf data
        mkdir data
        start_server "$PWD/data/disk.img"
        upload - /$version/upload-archive \
            < <(tar -C files -c tinyCore.iso cirros-qcow2.img | $pack)
        assert_answer 200
        wait_success "Upload Complete"
        diff -r files data || fail "$version, $pack: other files"
    done
done
