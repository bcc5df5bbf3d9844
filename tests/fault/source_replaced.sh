#!/bin/bash
# Between two sessions the image is replaced, changed with its time put back,
# or grown: the source ends with 12, and there is no copy.
. "$(dirname "$0")/../func/lib.sh"
. "$(dirname "$0")/lib_resume.sh"
SOURCE_WITH=() TARGET_WITH=(--checkpoint-every 100ms)

SIZE=$((32 * MIB))

interrupted_by() # COMMAND ARGUMENT...: while there is no target
{
    rm -f copy .copy.*
    start_target copy
    start_slow_source 2MiB image
    wait_checkpoint 4
    stop_process "$TARGET_PID"
    "$@"
    start_target copy
    wait_source
    assert_status source 12
    [ ! -e copy ] || fail "$1: a mixture has the final name"
    stop_process "$TARGET_PID"
}

replace()
{
    cp image other
    put_noise other $((2 * MIB)) 4096 5
    put_noise other $((30 * MIB)) 4096 5
    mv other image
}

change_in_place()
{
    touch -r image time
    put_noise image $((2 * MIB)) 4096 6
    put_noise image $((30 * MIB)) 4096 6
    touch -r time image
}

grow()
{
    noise $((5 * MIB)) 7 >>image
}

make_dense image $SIZE
interrupted_by replace
assert_log source 'image was replaced by another file'
interrupted_by change_in_place
assert_log source 'image was written to while it was read'
interrupted_by grow
assert_log source 'image was written to while it was read, and has another size'

# Undisturbed, the same goes through.
interrupted_by_nothing()
{
    rm -f copy .copy.*
    start_target copy
    start_slow_source 2MiB image
    wait_checkpoint 4
    stop_process "$TARGET_PID"
    start_target copy
    lift_rate
    both_succeed
}
interrupted_by_nothing
assert_same image copy $((SIZE + 5 * MIB))

# An image that grows all the time: never a crash, whatever opens it twice.
(while [ -e image ]; do head -c 20000 /dev/zero >>image; done) &
at_exit stop_process $!
for how in "--digest image" "image --to local"; do
    for _ in 1 2 3 4; do
        status=0
        # shellcheck disable=SC2086
        timeout 60 "$SOURCE" --format=raw $how -q >source.out 2>source.log ||
            status=$?
        case $status in 0 | 12) ;; *) fail "$how: status $status" ;; esac
        rm -f local
    done
done
rm image
