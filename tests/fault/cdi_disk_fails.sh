#!/bin/bash
# A disk that fails to flush or loses a write never gives 200 to an upload or a
# clone. The server reports the cause, and exits with a status that allows a
# restart.
. "$(dirname "$0")/../func/lib.sh"
. "$TESTS/func/lib_cdi.sh"
. "$TESTS/func/lib_cloner.sh"
require_loop

put_noise image 0 $((3 * MIB))
fails() # FAULT [ARGUMENT...]
{
    make_empty backing $((8 * MIB))
    faulty_up backing "$@"
    attach "$FAULTY_DISK"
    start_server "$LOOP"
    upload image
    assert_answer 500 "Saving stream failed: "
    grep -q 'Input/output error' answer || fail "$1: $(cat answer)"
    wait_target
    assert_status target 1
    [ ! -e term ] || fail "a termination message: $(cat term)"

    # The source is told the same, and leaves no good word.
    start_server "$LOOP"
    SERVER_ADDRESS=$TARGET_ADDRESS
    cloner_env CLONEWIRE_HTTP_ONLY=true
    run_cloner block "$PWD/image"
    assert_failed 'Unexpected status code 500.*Input/output error'
    wait_target
    assert_status target 1
}
fails flush-eio
fails eio-write $((2 * MIB)) $((2 * MIB + 4096))
