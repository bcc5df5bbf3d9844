#!/usr/bin/env python3
"""An upload server of our own making: mutual TLS, HTTP/1.1, snappy frames.

    cdi_server.py CERTS OUT [--name CN] [--busy N] [--drop N] [--bytes B]
                  [--status S] [--early] [--hang] [--alpn P,P] [--tls12]
                  [--deaf] [--trickle]

Shares no code with what it checks: the chunked coding, the framing format,
snappy itself and CRC-32C are written out here after their descriptions.
Writes the plain bytes of the body to OUT, the head to OUT.head and what it
met to OUT.facts.  Serves one POST after another and ends after one that got
a 2xx.

  --name    common name a client must have, or it is answered 401
  --busy N  the first N requests are answered 503
  --drop N  the first N connections are cut after B bytes of body
  --status  what the request is answered when it is whole, in place of 200
  --tls12   nothing newer is spoken
  --deaf    reads nothing after the head, and does not answer
  --trickle the answer to the whole is a byte of its head every 0.2 s
  --early   answered as soon as the head is here, and the body is not read
"""
import argparse
import collections
import socket
import ssl
import struct
import sys
import time

CRC = []
for byte in range(256):
    for _ in range(8):
        byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
    CRC.append(byte)


class Cut(Exception):
    """The connection, on purpose or not."""


def masked_crc(data):
    if not any(data):  # the slow way once for each length
        return zero_crc(len(data))
    crc = 0xFFFFFFFF
    for byte in data:
        crc = CRC[(crc ^ byte) & 255] ^ crc >> 8
    return mask(crc ^ 0xFFFFFFFF)


def mask(crc):
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def zero_crc(length, known={}):
    if length not in known:
        crc = 0xFFFFFFFF
        for _ in range(length):
            crc = CRC[crc & 255] ^ crc >> 8
        known[length] = mask(crc ^ 0xFFFFFFFF)
    return known[length]


def unsnap(data):
    """One block of snappy: a varint, then literals and copies."""
    length, shift, at = 0, 0, 0
    while True:
        length |= (data[at] & 127) << shift
        shift += 7
        at += 1
        if data[at - 1] < 128:
            break
    out = bytearray()
    while at < len(data):
        tag = data[at]
        at += 1
        if tag & 3 == 0:
            size = (tag >> 2) + 1
            if size > 60:
                more = size - 60
                size = int.from_bytes(data[at:at + more], "little") + 1
                at += more
            out += data[at:at + size]
            at += size
            continue
        if tag & 3 == 1:
            size, back = (tag >> 2 & 7) + 4, (tag >> 5) << 8 | data[at]
            at += 1
        else:
            more = 2 if tag & 3 == 2 else 4
            size = (tag >> 2) + 1
            back = int.from_bytes(data[at:at + more], "little")
            at += more
        start = len(out) - back
        assert back > 0 and start >= 0
        while size > 0:  # a copy may reach into what it makes
            piece = out[start:start + size]
            out += piece
            start += len(piece)
            size -= len(piece)
    assert len(out) == length, "a block is not as long as it says"
    return bytes(out)


class Unframer:
    """The framing format, fed in pieces."""

    def __init__(self, out, facts):
        self.out, self.facts, self.held = out, facts, b""
        self.last = (None, None)  # zeros come often: unpacked once
        self.named = False

    def feed(self, data):
        self.held += data
        while len(self.held) >= 4:
            kind = self.held[0]
            size = int.from_bytes(self.held[1:4], "little")
            if len(self.held) < 4 + size:
                break
            self.chunk(kind, self.held[4:4 + size])
            self.held = self.held[4 + size:]

    def chunk(self, kind, body):
        if kind == 0xFF:
            assert body == b"sNaPpY", "another identifier"
            self.named = True
            return
        assert self.named, "no identifier in front"
        if 0x80 <= kind <= 0xFE:
            return
        assert kind in (0, 1), f"a chunk of type {kind}"
        if body == self.last[0]:
            plain = self.last[1]
        else:
            plain = unsnap(body[4:]) if kind == 0 else body[4:]
            want, = struct.unpack("<I", body[:4])
            assert masked_crc(plain) == want, "a wrong checksum"
            self.last = (body, plain)
        assert 0 < len(plain) <= 65536
        self.facts["packed" if kind == 0 else "plain"] += 1
        self.facts["wire_bytes"] += 8 + len(body) - 4
        self.facts["zero_blocks"] += not any(plain)
        self.out.write(plain)

    def end(self):
        assert self.named, "an empty stream"
        assert not self.held, "cut within a chunk"


class Connection:
    def __init__(self, conn, limit):
        self.conn, self.held, self.limit = conn, b"", limit

    def more(self):
        data = self.conn.recv(65536)
        if not data:
            raise Cut
        self.held += data
        if self.limit is not None:
            self.limit -= len(data)
            if self.limit < 0:
                raise Cut

    def line(self):
        while b"\r\n" not in self.held:
            self.more()
        line, self.held = self.held.split(b"\r\n", 1)
        return line

    def exactly(self, size):
        while len(self.held) < size:
            self.more()
        data, self.held = self.held[:size], self.held[size:]
        return data


def answer(conn, status, text=""):
    body = text.encode()
    conn.sendall(b"HTTP/1.1 %d Whatever\r\nContent-Length: %d\r\n"
                 b"Connection: close\r\n\r\n%s" % (status, len(body), body))


def answer_early(conn, status, text=""):
    """As Go's server does: a connection that is closed over unread data is
    reset, and the reset may overtake the answer."""
    answer(conn, status, text)
    conn.shutdown(socket.SHUT_WR)
    conn.settimeout(0.5)
    end = time.monotonic() + 0.5
    try:
        while time.monotonic() < end and conn.recv(65536):
            pass
    except OSError:
        pass
    return status


def common_name(conn):
    subject = (conn.getpeercert() or {}).get("subject", ())
    return dict(pair for rdn in subject for pair in rdn).get("commonName")


def serve(conn, args, counts):
    """The status of the answer."""
    cut = counts["drop"] < args.drop
    source = Connection(conn, args.bytes if cut else None)
    head = [source.line().decode()]
    while True:
        line = source.line().decode()
        if not line:
            break
        head.append(line)
    with open(args.out + ".head", "w") as out:
        print("\n".join(head), file=out)
    counts["requests"] += 1
    if args.name and common_name(conn) != args.name:
        return answer_early(conn, 401)
    if counts["busy"] < args.busy:
        counts["busy"] += 1
        return answer_early(conn, 503)
    if args.early:
        return answer_early(conn, args.status,
                            "Saving stream failed: no\nroom")
    while args.deaf:
        time.sleep(1)
    facts = collections.Counter()
    try:
        with open(args.out, "wb") as out:
            unframer = Unframer(out, facts)
            while True:
                size = int(source.line(), 16)
                unframer.feed(source.exactly(size))
                assert source.exactly(2) == b"\r\n"
                if size == 0:
                    break
            unframer.end()
    except Cut:
        counts["drop"] += 1
        raise
    with open(args.out + ".facts", "w") as out:
        for name, value in sorted((facts + counts).items()):
            print(f"{name}={value}", file=out)
    if args.hang and counts["hang"] == 0:  # heard, and no word about it
        counts["hang"] += 1
        raise Cut
    if args.trickle:
        conn.sendall(b"HTTP/1.1 200 OK\r\nX-Padding: ")
    while args.trickle:
        conn.sendall(b"x")
        time.sleep(0.2)
    if counts["hang"] > 0:
        answer(conn, 409)
        return 200
    answer(conn, args.status, "Saving stream failed: no\nroom"
           if args.status >= 300 else "")
    return args.status


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("certs")
    parser.add_argument("out")
    parser.add_argument("--name")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--busy", type=int, default=0)
    parser.add_argument("--drop", type=int, default=0)
    parser.add_argument("--bytes", type=int, default=100000)
    parser.add_argument("--status", type=int, default=200)
    parser.add_argument("--early", action="store_true")
    parser.add_argument("--hang", action="store_true")
    parser.add_argument("--tls12", action="store_true")
    parser.add_argument("--deaf", action="store_true")
    parser.add_argument("--trickle", action="store_true")
    parser.add_argument("--alpn", default="h2,http/1.1")
    args = parser.parse_args()

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(f"{args.certs}/target.crt",
                            f"{args.certs}/target.key")
    context.load_verify_locations(f"{args.certs}/ca.crt")
    context.verify_mode = ssl.CERT_REQUIRED
    if args.tls12:
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    if args.alpn:
        context.set_alpn_protocols(args.alpn.split(","))
    listener = socket.create_server(("127.0.0.1", args.port))
    print(f"listening on 127.0.0.1:{listener.getsockname()[1]}", flush=True)
    counts = collections.Counter()
    while True:
        plain, _ = listener.accept()
        try:
            with context.wrap_socket(plain, server_side=True) as conn:
                if serve(conn, args, counts) // 100 == 2:
                    conn.unwrap()
                    return
        except (OSError, Cut) as error:
            print(f"lost a client: {error!r}", flush=True)
        finally:
            plain.close()


sys.exit(main())
