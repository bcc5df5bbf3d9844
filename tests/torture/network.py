"""A network between the two programs that fails where the campaign says."""

import random
import selectors
import socket
import struct
import threading

PIECE = 65536
RESET = struct.pack("ii", 1, 0)


class _End:
    """One of the two sockets of a connection, with what it must still send."""

    def __init__(self, sock: socket.socket, is_client: bool):
        self.sock = sock
        self.is_client = is_client
        self.peer: "_End"
        self.unsent = b""
        self.received = 0
        self.is_muted = False


class Network:
    """Passes connections to backend on, from a port that stays the same.

    A thread of its own does the work; the methods are for the thread of the
    campaign.  Bytes are counted in the direction of the target.
    """

    def __init__(self):
        self.backend = 0  # port on 127.0.0.1; 0: no listener
        self.calls = 0  # connections that were dialled so far
        self.held = threading.Event()
        self._lock = threading.RLock()
        self._selector = selectors.DefaultSelector()
        self._ends: set[_End] = set()
        self._total = 0
        self._hold_at: int | None = None
        self._is_stalled = False
        self._is_open = True
        self._listener = _listen()
        self.port = self._listener.getsockname()[1]
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._wake, self._woken = socket.socketpair()
        self._selector.register(self._woken, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def hold_after(self, count: int) -> None:
        """Stops the data after count more bytes, and then sets held."""
        with self._lock:
            self.held.clear()
            self._hold_at = self._total + count

    def release(self) -> None:
        """Passes data on again."""
        with self._lock:
            self._hold_at, self._is_stalled = None, False
            self.held.clear()
            self._watch_all()
        self._wake.send(b"x")

    def stall(self) -> None:
        """Passes nothing on, in both directions, until release()."""
        with self._lock:
            self._is_stalled = True
            self._watch_all()
        self._wake.send(b"x")

    def mute(self) -> None:
        """Swallows what the connections of this moment send from now on."""
        with self._lock:
            for end in self._ends:
                end.is_muted = True

    def cut(self, only_busiest: bool) -> None:
        """Resets every connection, or the one that has sent the most."""
        with self._lock:
            clients = [end for end in self._ends if end.is_client]
            if only_busiest and clients:
                clients = [max(clients, key=lambda end: end.received)]
            for end in clients:
                self._drop(end, reset=True)

    def close(self) -> None:
        """Ends the thread and every connection."""
        with self._lock:
            self._is_open = False
        self._wake.send(b"x")
        self._thread.join()
        for end in list(self._ends):
            self._drop(end, reset=True)
        for sock in (self._listener, self._wake, self._woken):
            sock.close()
        self._selector.close()

    # What follows runs in the thread, under the lock.

    def _serve(self) -> None:
        while self._is_open:
            ready = self._selector.select()
            with self._lock:
                for key, events in ready:
                    self._handle(key, events)

    def _handle(self, key: selectors.SelectorKey, events: int) -> None:
        if key.fileobj is self._woken:
            self._woken.recv(64)
        elif key.fileobj is self._listener:
            self._accept()
        elif key.data in self._ends:
            if events & selectors.EVENT_WRITE:
                self._flush(key.data)
            if events & selectors.EVENT_READ and key.data in self._ends:
                self._receive(key.data)

    def _accept(self) -> None:
        client, _ = self._listener.accept()
        self.calls += 1
        try:
            if not self.backend:
                raise OSError("no listener")
            server = socket.create_connection(("127.0.0.1", self.backend))
        except OSError:
            _reset(client)
            return
        one, two = _End(client, True), _End(server, False)
        one.peer, two.peer = two, one
        for end in (one, two):
            end.sock.setblocking(False)
            end.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._ends.add(end)
            self._selector.register(end.sock, selectors.EVENT_READ, end)
            self._watch(end)

    def _receive(self, end: _End) -> None:
        try:
            data = end.sock.recv(self._allowance(end))
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._drop(end, reset=False)
            return
        if end.is_client:
            end.received += len(data)
            self._total += len(data)
            self._hold_if_due()
        if not end.is_muted:
            end.peer.unsent += data
            self._flush(end.peer)

    def _allowance(self, end: _End) -> int:
        if not end.is_client or self._hold_at is None:
            return PIECE
        return max(1, min(PIECE, self._hold_at - self._total))

    def _hold_if_due(self) -> None:
        if self._hold_at is not None and self._total >= self._hold_at:
            self.held.set()
            self._watch_all()

    def _flush(self, end: _End) -> None:
        try:
            end.unsent = end.unsent[end.sock.send(end.unsent):]
        except BlockingIOError:
            pass
        except OSError:
            self._drop(end, reset=False)
            return
        self._watch(end)
        self._watch(end.peer)

    def _watch_all(self) -> None:
        for end in self._ends:
            self._watch(end)

    def _watch(self, end: _End) -> None:
        events = 0
        is_held = self._is_stalled or (end.is_client and self.held.is_set())
        if not is_held and not end.peer.unsent:
            events |= selectors.EVENT_READ
        if not self._is_stalled and end.unsent:
            events |= selectors.EVENT_WRITE
        known = end.sock in self._selector.get_map()
        if known and not events:
            self._selector.unregister(end.sock)
        elif known:
            self._selector.modify(end.sock, events, end)
        elif events:
            self._selector.register(end.sock, events, end)

    def _drop(self, end: _End, reset: bool) -> None:
        for one in (end, end.peer):
            self._ends.discard(one)
            if one.sock in self._selector.get_map():
                self._selector.unregister(one.sock)
            if reset:
                _reset(one.sock)
            one.sock.close()


def _reset(sock: socket.socket) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    sock.close()


def _listen() -> socket.socket:
    """Listens where the kernel gives no port to others by chance."""
    while True:
        try:
            return socket.create_server(
                ("127.0.0.1", random.SystemRandom().randrange(10000, 32000)))
        except OSError:
            continue
