#!/bin/bash
# The same as kill_points_file with --resume=compare: the target reads what it
# holds, and has no checkpoint.
. "$(dirname "$0")/../func/lib.sh"
. "$(dirname "$0")/lib_resume.sh"
. "$(dirname "$0")/lib_kill_points.sh"

kill_at_every_point copy --resume compare
