#!/bin/bash
# Random disks, formats, options and faults: a clone that reports success is
# whole and durable, a failed one reports its cause, and another run completes
# it.
#
#   torture.sh [SECONDS] [SEED] [OPTION…]   of tests/torture/run
. "$(dirname "$0")/../func/lib.sh"
require python3 qemu-img

# What a campaign cannot undo that was killed itself.
sweep()
{
    local directory loop

    grep -oE " $WORK/[^ ]*" /proc/mounts | while read -r directory; do
        umount -l "$directory"
    done
    losetup --list --noheadings --output NAME,BACK-FILE 2>/dev/null |
        while read -r loop file; do
            [[ $file != "$WORK"/* ]] || losetup -d "$loop"
        done
}
at_exit sweep

PYTHONDONTWRITEBYTECODE=1 "$TESTS/torture/run" --build "$CW_BUILD" \
    --certificates "$CERTS" "$@"
