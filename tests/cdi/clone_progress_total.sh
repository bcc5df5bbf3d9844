#!/bin/bash
# clone_progress_total: the progress of a tree counts what is sent: holes and
# reserved space not at all, a file with several names once. It reaches 100 %
# when all is sent, and never passes that. disk.img is the first entry, which is
# the one that CDI's server writes to a device.
. "$(dirname "$0")/../func/lib.sh"
. "$TESTS/func/lib_cdi.sh"
. "$TESTS/func/lib_cloner.sh"
require jq tar

mkdir volume data
make_dense volume/a-copy-of-disk.img $((4 * MIB))
make_dense volume/disk.img $((4 * MIB)) 7
make_empty volume/hole $((256 * MIB))
fallocate -l 64M volume/reserved
make_dense volume/z $((16 * MIB)) 9
for ((i = 0; i < 20; i++)); do ln volume/z volume/link$i; done

start_server "$PWD/data/disk.img"
"$SOURCE" --cert "$CERTS/source.crt" --key "$CERTS/source.key" \
    --ca "$CERTS/ca.crt" "$PWD/volume" "https://$TARGET_ADDRESS$UPLOAD" \
    --progress=7 7>progress.json >source.out 2>source.log ||
    fail "the source failed"
wait_target
assert_status target 0
jq -e -s 'all(.ratio <= 1) and
    ([.[] | select(.phase != "done") | .ratio] | max) >= 0.99' progress.json \
    >/dev/null || fail "$(cat progress.json)"

start_http_server
run_cloner filesystem "$PWD/volume"
assert_complete
wait_process "$SERVER_PID" server
assert_equal "$(tar -tf body 2>/dev/null | head -n 1)" disk.img "first entry"
