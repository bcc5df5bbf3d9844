#!/bin/bash
# --progress=FD prints JSON objects to that descriptor, and none to stderr.
. "$(dirname "$0")/lib.sh"
require jq

make_sparse image $((8 * MIB))
"$SOURCE" image --to copy --progress=7 7>progress.json >out 2>log
jq -e -s 'all(.event == "progress") and last.ratio == 1 and
    ([.[].phase] | index("copying")) != null' progress.json >/dev/null ||
    fail "$(cat progress.json)"
! grep -q '"event"' log || fail "progress in the log"

STATUS=0
"$SOURCE" image --to copy2 --progress=7 2>log 7>&- || STATUS=$?
assert_equal "$STATUS" 2 "status with a closed descriptor"
grep -q 'no such file descriptor is open' log || fail "$(cat log)"
[ ! -e copy2 ] || fail "copied all the same"
