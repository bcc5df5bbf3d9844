#!/usr/bin/env python3
"""held_upload.py ADDRESS CERTS FILE [GO]: uploads FILE, prints the status line
of the answer, and keeps the connection.  With GO, it reads the answer only when
that file exists, and then ends."""

import os
import socket
import ssl
import sys
import time


def main():
    address, certs, name, *go = sys.argv[1:]
    host, port = address.rsplit(":", 1)
    context = ssl.create_default_context(cafile=certs + "/ca.crt")
    context.load_cert_chain(certs + "/source.crt", certs + "/source.key")
    with (socket.create_connection((host, int(port)), 60) as plain,
          context.wrap_socket(plain, server_hostname="localhost") as client):
        with open(name, "rb") as file:
            body = file.read()
        client.sendall(b"POST /v1beta1/upload HTTP/1.1\r\nHost: a\r\n"
                       b"Content-Length: %d\r\n\r\n" % len(body) + body)
        while go and not os.path.exists(go[0]):
            time.sleep(0.02)
        print(client.recv(1000).split(b"\r\n")[0].decode(), flush=True)
        if not go:
            time.sleep(600)


main()
