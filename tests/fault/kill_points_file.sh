#!/bin/bash
# A target that writes a file is killed before and after each call that changes
# files, and started again: both sides end with 0 and an equal disk.
. "$(dirname "$0")/../func/lib.sh"
. "$(dirname "$0")/lib_resume.sh"
. "$(dirname "$0")/lib_kill_points.sh"

kill_at_every_point copy
