#!/bin/bash
# A qcow2 image on a block device, with other bytes after it, is read as qcow2.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
require qemu-img
require_loop

size=$((12 * MIB + 512))
make_sparse disk.raw $size
qemu-img convert -O qcow2 disk.raw plain.qcow2
head -c 3000000 plain.qcow2 | tac >garbage
cat plain.qcow2 garbage >volume
truncate -s %4096 volume
attach volume

clone "$LOOP" copy.raw
assert_log source 'begins like QCOW2'
assert_same disk.raw copy.raw $size
assert_allocation disk.raw copy.raw
