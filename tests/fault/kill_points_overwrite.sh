#!/bin/bash
# A target that replaces a file is killed before and after each call that
# changes files: the old file stays until the new one takes its name.
. "$(dirname "$0")/../func/lib.sh"
. "$(dirname "$0")/lib_resume.sh"
. "$(dirname "$0")/lib_kill_points.sh"

prepare_dest()
{
    echo old >copy
    chmod 604 copy
}

check_dest()
{
    cmp image copy
    assert_equal "$(stat -c %a copy)" 604 "mode"
    assert_nothing_left
}

kill_at_every_point copy --overwrite
