#!/bin/bash
# A target that replaces a file is killed before and after each call that
# changes what outlives it; until the new disk has its name, the old one does.
. "$(dirname "$0")/../func/lib.sh"
. "$(dirname "$0")/lib_resume.sh"
. "$(dirname "$0")/lib_kill_points.sh"
require_plain_build "a run for each call"

begin()
{
    echo old >copy
    chmod 604 copy
}

check()
{
    cmp image copy
    assert_equal "$(stat -c %a copy)" 604 "mode"
    [ -z "$(find . -name '.copy.*')" ] || fail "left: $(find . -name '.copy.*')"
}

SOURCE_WITH+=(--job-id the-job)
make_dense image $SIZE
kill_everywhere copy --overwrite
