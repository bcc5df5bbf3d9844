#!/bin/bash
# A partition table for another sector size causes a warning; the copy is made.
. "$(dirname "$0")/lib.sh"
require_loop
require python3

# A protective MBR, and a GPT header at the second sector of 512 bytes.
make_empty image $((8 * MIB))
python3 - image <<'END'
import binascii
import struct
import sys

def header(crc):
    return struct.pack("<8sIIIIQQQQ16sQIII", b"EFI PART", 0x10000, 92, crc, 0,
                       1, 16383, 34, 16350, bytes(16), 2, 128, 128, 0)

with open(sys.argv[1], "r+b") as image:
    image.seek(510)
    image.write(b"\x55\xaa")
    image.seek(512)
    image.write(header(binascii.crc32(header(0)[:92])))
END

attach_dirty backing $((8 * MIB)) -b 4096
device=$LOOP
clone image "$device"
assert_same image "$device" $((8 * MIB))
assert_log target 'warn .*512.*4096'

attach_dirty other $((8 * MIB)) -b 512
device=$LOOP
clone image "$device"
assert_same image "$device" $((8 * MIB))
refute_log target 'warn '
