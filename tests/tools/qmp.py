#!/usr/bin/env python3
"""qmp.py SOCKET JSON...: gives QEMU's monitor the commands, one by one.

Prints the answers, and ends with 1 at the first that is an error.
"""
import json
import socket
import sys


def main():
    monitor = socket.socket(socket.AF_UNIX)
    monitor.connect(sys.argv[1])
    stream = monitor.makefile("rw")
    stream.readline()  # the greeting
    for command in ['{"execute": "qmp_capabilities"}'] + sys.argv[2:]:
        stream.write(json.dumps(json.loads(command)) + "\n")
        stream.flush()
        answer = {"event": ""}
        while "event" in answer:
            answer = json.loads(stream.readline())
        print(command, answer)
        if "error" in answer:
            sys.exit(1)


main()
