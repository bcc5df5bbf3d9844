#!/usr/bin/env python3
"""The snappy framing format, standard input to standard output, of our own.

snapframe.py [--packed]

Chunks of 64 KiB, stored; --packed: as snappy that is nothing but literals and
runs of zeros.
"""

import argparse
import struct
import sys

TABLE = []
for byte in range(256):
    for _ in range(8):
        byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
    TABLE.append(byte)


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = TABLE[(crc ^ byte) & 0xFF] ^ crc >> 8
    return crc ^ 0xFFFFFFFF


ZERO_CRC = {}


def masked(data):
    if not any(data):  # most of a test disk, and slow to sum here
        if len(data) not in ZERO_CRC:
            ZERO_CRC[len(data)] = crc32c(data)
        crc = ZERO_CRC[len(data)]
    else:
        crc = crc32c(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def varint(number):
    out = b""
    while number > 0x7F:
        out += bytes([number & 0x7F | 0x80])
        number >>= 7
    return out + bytes([number])


def pack(data):
    out = varint(len(data))
    if any(data):
        return out + b"\xf4" + struct.pack("<H", len(data) - 1) + data
    out += b"\0" + data[:1]  # a literal of one byte, then copies of it
    left = len(data) - 1
    while left > 0:
        n = min(left, 64)
        out += bytes([2 | n - 1 << 2]) + struct.pack("<H", 1)
        left -= n
    return out


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--packed", action="store_true")
    options = parser.parse_args()

    out = b"\xff\x06\0\0sNaPpY"
    while data := sys.stdin.buffer.read(65536):
        body = struct.pack("<I", masked(data))
        body += pack(data) if options.packed else data
        out += bytes([0 if options.packed else 1])
        out += struct.pack("<I", len(body))[:3] + body
    sys.stdout.buffer.write(out)


if __name__ == "__main__":
    main()
