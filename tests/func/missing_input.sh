#!/bin/bash
# An image, key, certificate, receipt or directory that does not exist ends a
# program with status 2, at once, before there is a peer or a file. So does an
# image on a stdin that is closed or is a terminal.
. "$(dirname "$0")/lib.sh"
require script

make_dense disk 1024000

missing() # REGEX PROGRAM ARGUMENT...
{
    local regex=$1 status=0

    timeout $LONGEST "${@:2}" 2>words.log || status=$?
    assert_equal $status 2 "status of ${*:2}"
    assert_log words "$regex"
}

none='none.*: No such file or directory'
for question in --digest --inspect --map; do
    missing "$none" "$SOURCE" $question none
    missing 'Not a directory' "$SOURCE" $question disk/none
done
missing "$none" "$SOURCE" none --to copy
missing "$none" "$SOURCE" disk --to none/copy
missing "$none" "$SOURCE" disk --check-receipt none
missing "$none" "$SOURCE" none 127.0.0.1:1 --psk-file "$CERTS/psk.txt"
missing "$none" "$TARGET" none/copy --psk-file "$CERTS/psk.txt"
missing "$none" "$TARGET" copy --check-receipt none
for side in "$SOURCE disk 127.0.0.1:1" "$TARGET copy --listen 127.0.0.1:0"; do
    # shellcheck disable=SC2086
    {
        missing "$none" $side --psk-file none
        missing "certificate $none" $side --cert none --key none --ca none
        missing "key $none" $side --cert "$CERTS/source.crt" --key none \
            --ca "$CERTS/ca.crt"
    }
done

# What exists and is wrong keeps the status of its kind.
status=0
"$TARGET" copy --psk-file disk 2>words.log || status=$?
assert_equal $status 20 "status of a key file that is none"

for question in --digest --inspect --map "--to copy"; do
    # shellcheck disable=SC2086
    missing 'standard input is closed: pipe' "$SOURCE" - $question <&-
    status=0
    script -qec "'$SOURCE' - $question" /dev/null </dev/null >words.log ||
        status=$?
    assert_equal $status 2 "status of $question with a terminal"
    assert_log words 'standard input is a terminal'
done
[ ! -e copy ] || fail "a copy of nothing"
