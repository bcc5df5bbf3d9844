"""proxy.py HOST:PORT FAULT BYTES: a bad network between source and target.

Prints "listening on 127.0.0.1:PORT", passes on every connection, and once
BYTES have gone from the clients to the server (all connections together):

  cut        every connection is closed, mid-stream, with a reset
  hole       everything is swallowed from then on, nothing closed
  freeze     nothing is read or passed on any more

It serves until it is killed.
"""

import select
import socket
import struct
import sys

CHUNK = 65536


class Proxy:
    def __init__(self, server, fault, limit):
        host, port = server.rsplit(":", 1)
        self.server = (host.strip("[]"), int(port))
        self.fault = fault
        self.left = limit
        self.pairs = {}
        self.clients = set()
        self.listener = socket.create_server(("127.0.0.1", 0))

    def serve(self):
        print("listening on 127.0.0.1:%d" % self.listener.getsockname()[1],
              flush=True)
        while True:
            watched = [self.listener]
            if self.left > 0 or self.fault != "freeze":
                watched += list(self.pairs)
            for ready in select.select(watched, [], [])[0]:
                if ready is self.listener:
                    self.accept()
                elif ready in self.pairs:
                    self.pass_on(ready)

    def accept(self):
        client, _ = self.listener.accept()
        if self.left <= 0 and self.fault == "cut":
            client.close()
            return
        server = socket.create_connection(self.server)
        self.pairs[client] = server
        self.pairs[server] = client
        self.clients.add(client)

    def pass_on(self, one):
        other = self.pairs[one]
        try:
            data = one.recv(CHUNK)
            if data and (self.left > 0 or self.fault != "hole"):
                other.sendall(data)
        except OSError:
            data = b""
        if not data:
            self.drop(one)
            return
        if one in self.clients:
            self.left -= len(data)
        if self.left <= 0 and self.fault == "cut":
            for sock in list(self.pairs):
                self.reset(sock)

    def drop(self, one):
        other = self.pairs.pop(one)
        self.pairs.pop(other, None)
        one.close()
        other.close()

    def reset(self, sock):
        self.pairs.pop(sock, None)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                        struct.pack("ii", 1, 0))
        sock.close()


if __name__ == "__main__":
    Proxy(sys.argv[1], sys.argv[2], int(sys.argv[3])).serve()
