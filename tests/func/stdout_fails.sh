#!/bin/bash
# A result that cannot be printed ends with a status other than 0 and an error,
# for every query. A target whose pairing code cannot be printed ends. A clone
# without its summary still succeeds.
. "$(dirname "$0")/lib.sh"
. "$TESTS/func/lib_cdi.sh"
. "$TESTS/func/lib_cloner.sh"
[ -c /dev/full ] || skip "no /dev/full"

make_dense disk 1024000
"$SOURCE" disk --to copy -q --receipt receipt

to_full()
{
    "$@" >/dev/full
}

to_nothing()
{
    "$@" >&-
}

to_broken_pipe()
{
    local fifo=$WORK/fifo

    rm -f "$fifo"
    mkfifo "$fifo"
    exec 8<>"$fifo" 9>"$fifo" 8<&-
    "$@" >&9 9>&-
}

assert_refused() # WAY COMMAND...
{
    local status=0

    "$@" 2>log || status=$?
    exec 9>&-
    [ $status != 0 ] || fail "$*: status 0"
    [ $status -lt 124 ] || [ $status = 255 ] || fail "$*: status $status"
    grep -qE 'standard output|pairing code' log ||
        fail "$*: no word of why: $(cat log)"
}

source_answers=("--digest" "--inspect" "--inspect --json" "--map"
    "--map --json" "--doctor" "--doctor --json" "--check-receipt receipt"
    "--check-receipt receipt --json" "--help" "--help=man" "--help=markdown"
    "--help=bash" "--help=zsh" "--help=fish" "--version" "--version --json")
target_answers=("--digest" "--plan --overwrite --source-size 1MiB"
    "--plan --overwrite --source-size 1MiB --json" "--doctor" "--doctor --json"
    "--check-receipt receipt" "--check-receipt receipt --json" "--help"
    "--version" "--version --json")

for way in to_full to_nothing; do
    for answer in "${source_answers[@]}"; do
        # shellcheck disable=SC2086
        assert_refused $way "$SOURCE" $answer disk
    done
    for answer in "${target_answers[@]}"; do
        # shellcheck disable=SC2086
        assert_refused $way "$TARGET" $answer copy
    done
    for program in "$CLONER" "$UPLOADSERVER"; do
        assert_refused $way "$program" --help
        assert_refused $way "$program" --version
    done
    assert_refused $way timeout $LONGEST "$TARGET" --listen 127.0.0.1:0 none
    assert_refused $way timeout $LONGEST "$TARGET" --listen 127.0.0.1:0 none \
        --log-format=json
    [ ! -e none ] || fail "a target without a code left a file"

    status=0
    $way "$SOURCE" disk --to whole 2>log || status=$?
    [ $status = 0 ] || fail "$way: the copy is whole, but status $status"
    grep -q 'cannot print the summary' log || fail "$way: no word of the summary"
    cmp disk whole
    rm whole
done

# Whoever reads has gone.
assert_refused to_broken_pipe "$SOURCE" --digest disk
assert_refused to_broken_pipe "$SOURCE" --map --json disk
assert_refused to_broken_pipe timeout $LONGEST "$TARGET" --listen 127.0.0.1:0 none
