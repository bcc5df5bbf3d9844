"""flaky.py HOST:PORT FAULT BYTES TIMES [RATE]: a network that fails again and again.

Prints "listening on 127.0.0.1:PORT" and passes on every connection.  Each
time BYTES have gone from the clients to the server (all connections together)
it does, TIMES times in all:

  cut     resets every connection
  lane    resets the connection that sent most
  mute    swallows all that comes on the connection that sent most
  hole    swallows all that comes on the connections of that moment
  alert   answers the first TIMES connections by a forged TLS alert, in plain
          text: no such version
  deaf    drops what the server sends, but not what it receives

With RATE it passes on RATE bytes a second.  It serves until it is killed;
how much has gone to the server stands in the file flaky.count.
"""

import os
import select
import socket
import struct
import sys
import time

PIECE = 65536


class Pair:
    def __init__(self, client, server):
        self.client, self.server = client, server
        self.sent = 0
        self.swallows = self.is_deaf = False


class Flaky:
    def __init__(self, server, fault, every, times, rate=0):
        host, port = server.rsplit(":", 1)
        self.server = (host.strip("[]"), int(port))
        self.fault, self.every, self.times = fault, every, times
        self.sent = self.total = self.reported = 0
        self.rate, self.free_at = rate, time.monotonic()
        self.pairs = {}
        self.listener = socket.create_server(("127.0.0.1", 0))

    def serve(self):
        print("listening on 127.0.0.1:%d" % self.listener.getsockname()[1],
              flush=True)
        while True:
            ready = select.select([self.listener] + list(self.pairs), [], [])
            for one in ready[0]:
                if one is self.listener:
                    self.accept()
                elif one in self.pairs:
                    self.pass_on(one)

    def accept(self):
        client, _ = self.listener.accept()
        if self.fault == "alert" and self.times > 0:
            self.times -= 1
            client.recv(PIECE)
            client.sendall(bytes([21, 3, 3, 0, 2, 2, 70]))
            client.close()
            return
        try:
            server = socket.create_connection(self.server)
        except OSError:
            client.close()
            return
        self.pairs[client] = self.pairs[server] = Pair(client, server)

    def pass_on(self, one):
        pair = self.pairs[one]
        other = pair.server if one is pair.client else pair.client
        try:
            data = one.recv(PIECE)
            if data and not pair.swallows and not (
                    pair.is_deaf and one is pair.server):
                other.sendall(data)
        except OSError:
            data = b""
        if not data:
            self.end(pair, reset=False)
        elif one is pair.client and not pair.swallows:
            pair.sent += len(data)
            self.count(len(data))

    def count(self, length):
        self.sent += length
        self.slow_down(length)
        self.tell(length)
        if self.times > 0 and self.sent >= self.every:
            self.sent = 0
            self.times -= 1
            self.fail()

    def slow_down(self, length):
        if self.rate > 0:
            now = time.monotonic()
            self.free_at = max(self.free_at, now) + length / self.rate
            time.sleep(self.free_at - now)

    def tell(self, length):
        self.total += length
        if self.total - self.reported >= 1 << 20:
            self.reported = self.total
            with open("flaky.new", "w", encoding="ascii") as out:
                out.write("%d\n" % self.total)
            os.replace("flaky.new", "flaky.count")

    def fail(self):
        pairs = set(self.pairs.values())
        if self.fault in ("lane", "mute"):
            pairs = [max(pairs, key=lambda pair: pair.sent)]
        for pair in pairs:
            if self.fault == "deaf":
                pair.is_deaf = True
            elif self.fault in ("hole", "mute"):
                pair.swallows = True
            else:
                self.end(pair, reset=True)

    def end(self, pair, reset):
        for sock in (pair.client, pair.server):
            self.pairs.pop(sock, None)
            if reset:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                struct.pack("ii", 1, 0))
            sock.close()


if __name__ == "__main__":
    Flaky(sys.argv[1], sys.argv[2], *map(int, sys.argv[3:])).serve()
