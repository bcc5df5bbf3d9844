#!/bin/bash
# The same as kill_points_file with --delta: the target changes an older copy in
# place, and keeps its owner and mode.
. "$(dirname "$0")/../func/lib.sh"
. "$(dirname "$0")/lib_resume.sh"
. "$(dirname "$0")/lib_kill_points.sh"

prepare_dest()
{
    rm -f copy
    cp image copy
    put_noise copy $MIB 4096 5
    if [ "$(id -u)" = 0 ]; then chown 64055:108 copy; fi
    chmod 646 copy
    access=$(stat -c '%a %u:%g' copy)
}

check_dest()
{
    cmp image copy
    assert_equal "$(stat -c '%a %u:%g' copy)" "$access" "owner and mode"
    assert_nothing_left
    # Of three chunks one differs; a second session may send it again.
    [ "$(count_of source data_bytes)" -le $((2 * MIB)) ] ||
        fail "the clone started over"
}

kill_at_every_point copy --delta
