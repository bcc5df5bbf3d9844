#!/bin/bash
# The same where what is there is found by reading it.
. "$(dirname "$0")/../func/lib.sh"
. "$(dirname "$0")/lib_resume.sh"
. "$(dirname "$0")/lib_kill_points.sh"
require_plain_build "a run for each call"

begin()
{
    rm -f copy
}

check()
{
    cmp image copy
    [ -z "$(find . -name '.copy.*')" ] || fail "left: $(find . -name '.copy.*')"
}

SOURCE_WITH+=(--job-id the-job)
make_dense image $SIZE
kill_everywhere copy --resume compare
