#!/bin/bash
# io_uring and threads copy alike. Where io_uring is not allowed, auto says so
# and uses threads, and --io-engine=uring is an error.
. "$(dirname "$0")/lib.sh"
unset CLONEWIRE_IO_ENGINE # of the sanitizer presets

make_sparse image $((20 * MIB))

check() # WANTED LOGGED
{
    SOURCE_WITH=(--io-engine="$1") TARGET_WITH=(--io-engine="$1")
    clone image copy
    assert_same image copy $((20 * MIB))
    assert_log source "$2"
    assert_log target "$2"
    rm copy
}

check threads '^I/O engine +threads'
"$TOOLS/nouring" EPERM true || skip "no seccomp filters here"
for refusal in EPERM ENOSYS ENTER; do
    SOURCE_UNDER=("$TOOLS/nouring" "$refusal")
    TARGET_UNDER=("$TOOLS/nouring" "$refusal")
    check auto 'I/O engine threads: .*(not permitted|not implemented)'

    TARGET_WITH=(--io-engine=uring)
    refuse_target 1 'io_uring.*(not permitted|not implemented)' refused
done
SOURCE_UNDER=() TARGET_UNDER=()
check uring '^I/O engine +io_uring'
