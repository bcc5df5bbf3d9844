#!/bin/bash
# 20,000 separate extents of data arrive, and the holes between them remain
# holes.
. "$(dirname "$0")/lib.sh"
require python3

# A filesystem of its own, in memory where there is enough: a busy disk takes
# minutes for 20 000 extents, and one that discards another to delete them.
if [ "$(id -u)" = 0 ]; then
    require mkfs.ext4
    volume=$PWD/volume
    free=$(stat -f -c '%a * %S' /dev/shm 2>/dev/null) || free=0
    [ $((free)) -lt $((600 * MIB)) ] || volume=/dev/shm/clonewire-$$.volume
    at_exit rm -f "$volume"
    truncate -s 512M "$volume"
    mkfs.ext4 -q "$volume"
    mount_at mounted "$volume" -o loop
    cd mounted || exit
fi

python3 - image <<'END'
import sys
with open(sys.argv[1], "wb") as image:
    for i in range(20000):
        image.seek(i * 16384)
        image.write(b"%4096d" % (i + 1))
    image.truncate(20000 * 16384)
END
clone image copy
assert_same image copy $((20000 * 16384))
assert_allocation image copy
