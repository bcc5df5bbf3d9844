#!/bin/bash
# upload_test 3997, cloner_test 4000: the server is ended by a shell in its pod
# and started again by the kubelet; then the clone or upload succeeds. The end
# by SIGTERM is not a success.
. "$(dirname "$0")/../func/lib.sh"
. "$TESTS/func/lib_cdi.sh"
. "$TESTS/func/lib_cloner.sh"

make_sparse image $((8 * MIB))
mkdir data
server_env CLONEWIRE_TERMINATION_LOG="$PWD/target.term"
for kind in upload clone; do
    start_server data/disk.img
    /bin/sh -c "kill $TARGET_PID"
    wait_target
    assert_status target 143
    [ ! -s target.term ] || fail "a message: $(cat target.term)"
    start_server data/disk.img
    SERVER_ADDRESS=$TARGET_ADDRESS
    if [ $kind = upload ]; then
        upload image
        assert_answer 200
    else
        run_cloner block "$PWD/image"
        assert_complete
    fi
    wait_target
    assert_status target 0
    cmp image data/disk.img
    rm -f data/disk.img target.term
done
