#!/usr/bin/env python3
"""What no client of good will sends to an upload server, and what becomes of it.

    cdi_abuse.py HOST:PORT CERTS requests|slow

requests: each case on a connection of its own; the first status and, of an
upload, the reason must be those of the table.  slow: clients that say nothing,
or a little now and then, more of them than the server greets at once; each is
hung up on, and a friendly one is answered.
"""
import re
import socket
import ssl
import sys
import threading
import time

LONGEST = 60
HEALTHY = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b"POST /v1beta1/upload HTTP/1.1\r\nHost: a\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
SECTOR = b"200\r\n" + b"x" * 512 + b"\r\n"
END = b"0\r\n\r\n"


def get(head, line=b"GET /healthz HTTP/1.1"):
    return line + b"\r\nHost: a\r\n" + head + b"\r\n"


NO_HTTP = "not HTTP"
REQUESTS = [  # what, bytes, status, what the answer must hold
    ("one after the other without waiting", HEALTHY * 3, 200, "OK"),
    ("HTTP/1.0", b"GET /healthz HTTP/1.0\r\n\r\n", 200, "OK"),
    ("the absolute form", get(b"", b"GET https://a:8443/healthz HTTP/1.1"),
     200, "OK"),
    ("the absolute form, a path we have not",
     get(b"", b"GET https://a:8443 HTTP/1.1"), 404, ""),
    ("a body without a reader", get(b"Content-Length: 5\r\n") + b"hello", 200, "OK"),
    ("a query", get(b"", b"GET /healthz?verbose=1 HTTP/1.1"), 200, "OK"),
    ("the preface of HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, ""),
    ("HTTP/1.2", b"GET /healthz HTTP/1.2\r\n\r\n", 400, ""),
    ("HTTP/0.9", b"GET /healthz\r\n\r\n", 400, ""),
    ("OPTIONS *", get(b"", b"OPTIONS * HTTP/1.1"), 404, ""),
    ("OPTIONS", get(b"", b"OPTIONS /v1beta1/upload HTTP/1.1"), 404, ""),
    ("TRACE", get(b"", b"TRACE /v1beta1/upload HTTP/1.1"), 404, ""),
    ("PUT", get(b"", b"PUT /v1beta1/upload HTTP/1.1"), 404, ""),
    ("CONNECT", get(b"", b"CONNECT a:22 HTTP/1.1"), 404, ""),
    ("an unknown method", get(b"", b"FROB /healthz HTTP/1.1"), 200, "OK"),
    ("a method in small letters", get(b"", b"get /healthz HTTP/1.1"), 200, "OK"),
    ("a path that climbs",
     POST.replace(b"/upload", b"/../v1beta1/upload") + b"\r\n", 404, ""),
    ("line feeds alone", b"GET /healthz HTTP/1.1\nHost: a\n\n", 400, ""),
    ("a folded header", get(b"A: b\r\n c\r\n"), 400, ""),
    ("a NUL", get(b"A: b\0c\r\n"), 400, ""),
    ("a control byte", get(b"Transfer-Encoding: \x0bchunked\r\n"), 400, ""),
    ("a space in front of a colon", get(b"Content-Length : 5\r\n"), 400, ""),
    ("many headers", get(b"A-header: of 32 bytes or so...\r\n" * 2100), 431, ""),
    ("a long path", get(b"", b"GET /" + b"a" * 9000 + b" HTTP/1.1"), 404, ""),
    ("a path that is longer than a head",
     get(b"", b"GET /" + b"a" * 70000 + b" HTTP/1.1"), 431, ""),
    ("no host", b"GET /healthz HTTP/1.1\r\n\r\n", 400, ""),
    ("two hosts", get(b"Host: a\r\n"), 400, ""),
    ("no end of a head", b"GET /healthz HTTP/1.1\r\nA: " + b"a" * 70000, 431,
     ""),
    ("two lengths, alike", POST + b"Content-Length: 5\r\n" * 2 + b"\r\nhello",
     400, ""),
    ("two lengths", POST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n",
     400, ""),
    ("a list of lengths", POST + b"Content-Length: 5, 5\r\n\r\nhello", 400, ""),
    ("a length with a sign", POST + b"Content-Length: +5\r\n\r\nhello", 400,
     ""),
    ("a length below nothing", POST + b"Content-Length: -1\r\n\r\n", 400, ""),
    ("a length in hex", POST + b"Content-Length: 0x5\r\n\r\nhello", 400, ""),
    ("a length beyond counting",
     POST + b"Content-Length: 99999999999999999999\r\n\r\n", 400, ""),
    ("a length and chunks",
     POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n" + END,
     400, ""),
    ("chunks and a length",
     POST + b"Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n" + END,
     400, ""),
    ("chunks twice", POST + b"Transfer-Encoding: chunked, chunked\r\n\r\n",
     501, ""),
    ("chunks, and no chunks",
     POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n"
     b"\r\n" + SECTOR + END, 400, ""),
    ("another coding", POST + b"Transfer-Encoding: gzip\r\n\r\n", 501, ""),
    ("chunks of HTTP/1.0",
     CHUNKED.replace(b"/1.1", b"/1.0") + SECTOR + END, 400, ""),
    ("a chunk beyond counting", CHUNKED + b"F" * 17 + b"\r\nx", 500, NO_HTTP),
    ("a chunk below nothing", CHUNKED + b"-200\r\n" + SECTOR, 500, NO_HTTP),
    ("a chunk with 0x", CHUNKED + b"0x" + SECTOR + END, 500, NO_HTTP),
    ("no length of a chunk", CHUNKED + b"\r\n" + SECTOR, 500, NO_HTTP),
    ("a chunk that is longer than it says",
     CHUNKED + SECTOR[:-2] + b"more\r\n" + END, 500, NO_HTTP),
    ("a chunk's extension without an end",
     CHUNKED + b"200;" + b"a" * 100000, 500, NO_HTTP),
    ("trailers without an end",
     CHUNKED + SECTOR + b"0\r\n" + b"A: b\r\n" * 20000, 500, NO_HTTP),
    ("a request after the body", CHUNKED + SECTOR + END + HEALTHY, 500,
     "after the end of the body"),
]


class Client:
    def __init__(self, address, certs, with_cert=True):
        self.address, self.certs = address, certs
        self.context = ssl.create_default_context(cafile=certs + "/ca.crt")
        if with_cert:
            self.context.load_cert_chain(certs + "/source.crt",
                                         certs + "/source.key")

    def dial(self):
        plain = socket.create_connection(self.address, LONGEST)
        return self.context.wrap_socket(plain, server_hostname="localhost")

    def ask(self, data):
        """All that is answered, to the end of the connection."""
        answer = b""
        with self.dial() as conn:
            try:
                conn.sendall(data)
            except OSError:
                pass  # it has heard enough: the answer is on its way
            try:
                while piece := conn.recv(65536):
                    answer += piece
            except OSError:
                pass
        return answer.decode()


def status_of(answer):
    found = re.match(r"HTTP/1\.1 (\d+) ", answer)
    return int(found[1]) if found else 0


def requests(client, stranger):
    failed = 0
    for what, data, status, text in REQUESTS:
        answer = client.ask(data)
        if status_of(answer) != status or text not in answer or \
                answer.count("HTTP/1.1 ") != 1 or \
                "\r\nConnection: close\r\n" not in answer:
            print(f"{what}: wanted {status} {text!r}, got {answer!r}")
            failed += 1
    head = client.ask(get(b"", b"HEAD /healthz HTTP/1.1"))
    if not re.fullmatch(r"HTTP/1\.1 200 OK\r\n.*Content-Length: 2\r\n.*\r\n\r\n",
                        head, re.S):
        print(f"HEAD: {head!r}")
        failed += 1
    # A refused client does not get 100 Continue, either.
    answer = stranger.ask(POST + b"Content-Length: 512\r\n"
                          b"Expect: 100-continue\r\n\r\n")
    if status_of(answer) != 401 or "100" in answer:
        print(f"Expect of a stranger: {answer!r}")
        failed += 1
    # Cut in mid-chunk, with and without TLS's goodbye.
    for goodbye in True, False:
        with client.dial() as conn:
            conn.sendall(CHUNKED + SECTOR + SECTOR[:100])
            if goodbye:
                try:
                    conn.unwrap()
                except (OSError, ValueError):
                    pass
    return failed


def is_hung_up_on(conn, dribble):
    """Says dribble's bytes one by one, if any, until there is no listener."""
    deadline = time.monotonic() + LONGEST
    conn.settimeout(0.2)
    at = 0
    while time.monotonic() < deadline:
        try:
            if dribble:
                conn.sendall(dribble[at % len(dribble):][:1])
                at += 1
            if not conn.recv(4096):
                return True
        except TimeoutError:
            continue
        except OSError:
            return True
    return False


def slow(client):
    results = []

    def plain():
        return socket.create_connection(client.address, LONGEST)

    def begun():
        conn = client.dial()
        conn.sendall(b"GET /healthz HTTP/1.1\r\nA: ")
        return conn

    def lead(what, make, dribble):
        try:
            conn = make()
        except OSError:  # not even greeted: as good
            return
        with conn:
            results.append((what, is_hung_up_on(conn, dribble)))

    kinds = [("says nothing", plain, b""), ("says no TLS", plain, b"\x16"),
             ("asks nothing", client.dial, b""),
             ("stops in its head", begun, b""),
             ("continues with its head", begun, b"a")] * 4
    threads = [threading.Thread(target=lead, args=kind) for kind in kinds]
    for thread in threads:
        thread.start()
    healthy = client.ask(HEALTHY)
    for thread in threads:
        thread.join()
    for what in sorted({what for what, hung_up in results if not hung_up}):
        print(f"who {what} is waited for")
    if status_of(healthy) != 200:
        print(f"meanwhile: {healthy!r}")
    return len(results) < 4 or status_of(healthy) != 200 or \
        not all(hung_up for _, hung_up in results)


def main():
    host, port = sys.argv[1].rsplit(":", 1)
    address = (host, int(port))
    client = Client(address, sys.argv[2])
    if sys.argv[3] == "slow":
        return int(slow(client))
    return min(requests(client, Client(address, sys.argv[2], False)), 1)


sys.exit(main())
