"""The peers put together from pipes, and local copies for scale."""

import os

from .case import HOST
from .contestant import KIND_FLOOR, Contestant
from .measure import Plan, Stage
from .tls import SERVER_NAME

_SOCAT_BLOCK = ["-b", "1048576"]


def _socat_listen(case, port):
    return (f"OPENSSL-LISTEN:{port},bind={HOST},reuseaddr,"
            f"cert={case.tls.server_cert},key={case.tls.server_key},"
            f"cafile={case.tls.ca},verify=1")


def _socat_connect(case, port):
    return (f"OPENSSL:{HOST}:{port},cert={case.tls.client_cert},"
            f"key={case.tls.client_key},cafile={case.tls.ca},verify=1,"
            f"commonname={SERVER_NAME}")


class SocatPipe(Contestant):
    name = "socat"
    about = "dd | socat OPENSSL | dd conv=sparse,fsync"
    programs = ("dd", "socat")
    wants_file = True

    def versions(self):
        return {"dd": ["dd", "--version"], "socat": ["socat", "-V"]}

    def is_slow(self, case):
        """It sends the zeros too."""
        return case.virtual_bytes > 2 * case.dataset.data_bytes

    def plan(self, case):
        port = case.ports.take()
        send = [["dd", f"if={case.source}", "bs=1M", "status=none"],
                ["socat", "-u", *_SOCAT_BLOCK, "STDIN",
                 _socat_connect(case, port)]]
        # sparse seeks over zeros: only right where the target reads zero.
        how = "notrunc,fsync" + (",sparse" if case.reads_zero else "")
        receive = [["socat", "-u", *_SOCAT_BLOCK, _socat_listen(case, port),
                    "STDOUT"],
                   ["dd", f"of={case.destination}", "bs=1M",
                    "iflag=fullblock", f"conv={how}", "status=none"]]
        return Plan([Stage("source", send)],
                    [Stage("target", receive, port=port)])


class Rsync(Contestant):
    """The daemon protocol through socat at both ends, mutual TLS."""

    name = "rsync"
    about = "rsync -W --sparse through socat OPENSSL, files only"
    slow = True
    programs = ("rsync", "socat")

    def versions(self):
        return {"rsync": ["rsync", "--version"]}

    def refuses(self, case):
        if case.target.is_block or case.source.startswith("/dev/loop"):
            return "copies files, not devices"
        return super().refuses(case)

    def plan(self, case):
        port = case.ports.take()
        directory, name = os.path.split(case.destination)
        config = os.path.join(case.tls.directory, "rsyncd.conf")
        with open(config, "w", encoding="ascii") as file:
            file.write(f"use chroot = no\nlog file = /dev/stderr\n"
                       f"[disk]\npath = {directory}\nread only = no\n")
            if os.geteuid() == 0:  # else it stays who it is
                file.write("uid = root\ngid = root\n")
        daemon = f"rsync --daemon --no-detach --config={config}"
        server = ["socat", *_SOCAT_BLOCK, _socat_listen(case, port),
                  f"EXEC:{daemon}"]
        client = Stage("source", [[
            "rsync", "--whole-file", "--sparse", "--fsync", case.source,
            f"rsync://{HOST}/disk/{name}"]])
        client.environment["RSYNC_CONNECT_PROG"] = (
            f"socat STDIO {_socat_connect(case, port)}")
        return Plan([client], [Stage("target", [server], port=port,
                                     ends=False)])


class LocalCopy(Contestant):
    """One process, no network."""

    kind = KIND_FLOOR

    def __init__(self, name, about, command, wants_file=False):
        self.name = name
        self.about = about
        self.wants_file = wants_file
        self._command = command
        self.programs = (command[0],)

    def plan(self, case):
        command = [part.format(source=case.source, target=case.destination)
                   for part in self._command]
        return Plan([Stage("source", [command])])


def peers():
    return [
        SocatPipe(),
        Rsync(),
        LocalCopy("cp", "cp --sparse=always, local",
                  ["cp", "--sparse=always", "{source}", "{target}"]),
        LocalCopy("dd", "dd bs=1M O_DIRECT, local, one request at a time",
                  ["dd", "if={source}", "of={target}", "bs=1M",
                   "iflag=direct", "oflag=direct", "conv=sparse,notrunc",
                   "status=none"], wants_file=True),
    ]
