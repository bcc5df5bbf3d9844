#!/usr/bin/env python3
"""nbd_liar.py SOCKET eio|half: an NBD server of a disk of 8 MiB that fails.

eio: every read fails; half: every read is answered by half of the bytes, as if
that were all.
"""
import socket
import struct
import sys
import threading

SIZE = 8 << 20
REPLY, INFO, ACK, UNSUPPORTED = 0x3E889045565A9, 3, 1, 0x80000001


def take(peer, count):
    data = b""
    while len(data) < count:
        more = peer.recv(count - len(data))
        if not more:
            raise EOFError
        data += more
    return data


def negotiate(peer):
    peer.sendall(b"NBDMAGICIHAVEOPT" + struct.pack(">H", 3))
    take(peer, 4)
    while True:
        _, option, length = struct.unpack(">QII", take(peer, 16))
        take(peer, length)
        if option in (6, 7):  # INFO, GO: the size, and "has flags"
            info = struct.pack(">HQH", 0, SIZE, 0x103)
            peer.sendall(struct.pack(">QIII", REPLY, option, INFO, len(info)) +
                         info + struct.pack(">QIII", REPLY, option, ACK, 0))
            if option == 7:
                return
        else:  # 8: structured replies
            kind = ACK if option == 8 else UNSUPPORTED
            peer.sendall(struct.pack(">QIII", REPLY, option, kind, 0))


def serve(peer, mode):
    try:
        negotiate(peer)
        while True:
            _, _, kind, cookie, offset, length = struct.unpack(
                ">IHHQQI", take(peer, 28))
            if kind != 0:
                return
            if mode == "eio":
                peer.sendall(struct.pack(">IHHQIIH", 0x668E33EF, 1, 0x8001,
                                         cookie, 6, 5, 0))
            else:
                half = b"x" * (length // 2)
                peer.sendall(struct.pack(">IHHQIQ", 0x668E33EF, 1, 1, cookie,
                                         8 + len(half), offset) + half)
    except (EOFError, OSError):
        pass


def main():
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(sys.argv[1])
    listener.listen()
    while True:
        threading.Thread(target=serve, args=(listener.accept()[0], sys.argv[2]),
                         daemon=True).start()


main()
