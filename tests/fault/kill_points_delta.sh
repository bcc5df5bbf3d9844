#!/bin/bash
# The same where an older copy is changed in place.
. "$(dirname "$0")/../func/lib.sh"
. "$(dirname "$0")/lib_resume.sh"
. "$(dirname "$0")/lib_kill_points.sh"
require_plain_build "a run for each call"

begin()
{
    rm -f copy
    cp image copy
    put_noise copy $MIB 4096 5
    if [ "$(id -u)" = 0 ]; then chown 64055:108 copy; fi
    chmod 646 copy
    access=$(stat -c '%a %u:%g' copy)
}

check()
{
    cmp image copy
    assert_equal "$(stat -c '%a %u:%g' copy)" "$access" "owner and mode"
    [ -z "$(find . -name '.copy.*')" ] || fail "left: $(find . -name '.copy.*')"
    # Of three chunks one differs, and comes again in a second session at most.
    [ "$(count_of source data_bytes)" -le $((2 * MIB)) ] || fail "begun anew"
}

SOURCE_WITH+=(--job-id the-job)
make_dense image $SIZE
kill_everywhere copy --delta
