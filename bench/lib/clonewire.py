"""clonewire itself, as its users start it."""

import os
import shlex

from .contestant import KIND_CLONEWIRE, Contestant
from .measure import Plan, Stage
from .tls import CLIENT_NAME, SERVER_NAME


class Clonewire(Contestant):
    """options go to both ends.  reads_truth: of an image, it is given the
    raw disk that is in it, to see what the format costs."""

    kind = KIND_CLONEWIRE

    def __init__(self, name, about, build, options=(), reads_truth=False):
        self.name = name
        self.about = about
        self._source = os.path.join(build, "cmd", "clonewire-source")
        self._target = os.path.join(build, "cmd", "clonewire-target")
        self._options = list(options)
        self._reads_truth = reads_truth

    def missing(self):
        for path in (self._source, self._target):
            if not os.access(path, os.X_OK):
                return f"{path} is not built"
        return None

    def refuses(self, case):
        return None  # what it cannot read is its own error, and shown

    def plan(self, case):
        where = f"{case.host}:{case.ports.take()}"
        tls = case.tls
        target = [self._target, "--listen", where,
                  "--cert", tls.server_cert, "--key", tls.server_key,
                  "--ca", tls.ca, "--peer-name", CLIENT_NAME,
                  "--yes", "--overcommit", "--progress=none",
                  *self._options]
        if case.target.is_block and case.reads_zero:
            target.append("--target-is-zero")
        elif case.target.is_block:
            # What the last round left is overwritten, not compared.
            target.append("--resume=off")
        source = [self._source, "--cert", tls.client_cert,
                  "--key", tls.client_key, "--ca", tls.ca,
                  "--server-name", SERVER_NAME,
                  "--progress=none", *self._options]
        disk = case.dataset.truth if self._reads_truth else case.source
        return Plan(
            [Stage("source", [[*source, disk, where]])],
            [Stage("target", [[*target, case.destination]],
                   port=int(where.rpartition(":")[2]))])

    def versions(self):
        return {"clonewire": [self._source, "--version"]}


def contestants(build, variants, others=()):
    """variants: "NAME=OPTIONS" texts of --variant; others: "NAME=BUILD"
    texts of --against."""
    rows = [
        Clonewire("clonewire", "default options", build),
        Clonewire("clonewire-uring", "--io-engine=uring", build,
                  ["--io-engine=uring"]),
        Clonewire("clonewire-threads", "--io-engine=threads", build,
                  ["--io-engine=threads"]),
        Clonewire("clonewire-1-lane", "--lanes=1", build, ["--lanes=1"]),
        Clonewire("clonewire-2-lanes", "--lanes=2", build, ["--lanes=2"]),
        Clonewire("clonewire-raw", "of the raw disk that is in the image",
                  build, reads_truth=True),
        Clonewire("clonewire-plain", "--compress=off", build,
                  ["--compress=off"]),
        Clonewire("clonewire-zstd", "--compress=zstd", build,
                  ["--compress=zstd"]),
        Clonewire("clonewire-4-lanes", "--lanes=4", build, ["--lanes=4"]),
        Clonewire("clonewire-buffered", "--io-mode=buffered", build,
                  ["--io-mode=buffered"]),
    ]
    for text in variants:
        name, options = _split(text, "--variant", "OPTIONS")
        rows.append(Clonewire(f"clonewire-{name}", options, build,
                              shlex.split(options)))
    for text in others:
        name, other = _split(text, "--against", "BUILD")
        rows.append(Clonewire(f"clonewire-{name}", f"as built in {other}",
                              other))
    return rows


def _split(text, option, what):
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise ValueError(f"{option} {text!r} is not NAME={what}")
    return name, value
