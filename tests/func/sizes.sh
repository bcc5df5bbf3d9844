#!/bin/bash
# Disks of sizes at and around every boundary arrive whole, in a file of whole
# sectors.
. "$(dirname "$0")/lib.sh"

for bytes in 0 512 4096 4097 $((MIB - 1)) $MIB $((MIB + 1)) \
    $((3 * MIB + 512)) $((8 * MIB - 4096)) $((9 * MIB + 65537)); do
    make_dense image "$bytes"
    clone image copy
    truncate -s %512 image
    whole=$(disk_bytes image)
    assert_same image copy "$whole"
    assert_log target "^disk .*\($whole bytes\)"
    rm copy
done
