"""flood.py HOST:PORT COUNT KIND: strangers at a port.

Opens COUNT connections, again and again as they are closed, and prints
"listening on HOST:PORT" once all were open.  KIND says what each one does:

  silent   nothing
  half     sends the first half of a ClientHello
  reset    sends a byte and resets the connection, 300 a second
"""

import errno
import resource
import select
import socket
import struct
import sys
import time

# A handshake record of 400 bytes, of which 100 are sent.
HALF = bytes([22, 3, 1, 1, 0x90, 1, 0, 1, 0x8C]) + bytes(91)
RESET = struct.pack("ii", 1, 0)


def dial(address):
    client = socket.socket()
    client.setblocking(False)
    if client.connect_ex(address) not in (0, errno.EINPROGRESS):
        client.close()
        return None
    return client


def reset_storm(address):
    while True:
        begin = time.monotonic()
        try:
            client = socket.create_connection(address, 5)
            client.send(b"\x16")
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            client.close()
        except OSError:
            pass
        time.sleep(max(0.0, begin + 1 / 300 - time.monotonic()))


def hold(address, count, kind):
    poller = select.poll()
    clients = {}
    opened = 0
    while True:
        while len(clients) < count:
            client = dial(address)
            if client is None:
                break
            clients[client.fileno()] = client
            poller.register(client, select.POLLOUT)
            opened += 1
            if opened == count:
                print(f"listening on {address[0]}:{address[1]}", flush=True)
        for fd, events in poller.poll(100):
            client = clients[fd]
            if events == select.POLLOUT:
                try:
                    if kind == "half":
                        client.send(HALF)
                    poller.modify(fd, select.POLLIN | select.POLLRDHUP)
                    continue
                except OSError:
                    pass
            poller.unregister(fd)
            clients.pop(fd).close()
        time.sleep(0.01)


def main():
    host, port = sys.argv[1].rsplit(":", 1)
    address, count, kind = (host, int(port)), int(sys.argv[2]), sys.argv[3]
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if kind == "reset":
        print(f"listening on {sys.argv[1]}", flush=True)
        reset_storm(address)
    hold(address, count, kind)


main()
