"""guest.py DISK PERMISSION: holds a disk as QEMU does for a running machine.

A shared lock on the byte of each permission that is used: "read" or "write".
Prints "listening on DISK" once it is held, and holds it until it is killed.
"""

import fcntl
import struct
import sys
import time

F_OFD_SETLK = 37
BYTES = {"read": [100], "write": [100, 101]}

with open(sys.argv[1], "r+b") as disk:
    for byte in BYTES[sys.argv[2]]:
        fcntl.fcntl(disk, F_OFD_SETLK,
                    struct.pack("hhqqi4x", fcntl.F_RDLCK, 0, byte, 1, 0))
    print("listening on", sys.argv[1], flush=True)
    while True:
        time.sleep(60)
