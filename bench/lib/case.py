"""One scenario made concrete: this disk, to that target, under these terms."""

import itertools
import os
import socket
from dataclasses import dataclass

from . import check
from .link import FAR
from .units import MIB

HOST = "127.0.0.1"
_FIRST_PORT = 20809


@dataclass
class Case:
    """The parameters of a contestant.

    source: path given to it, which for some data sets is a loop device.
    reads_zero: the target already reads zero; each contestant knows it.
    """

    dataset: object
    source: str
    target: object
    source_is_cached: bool
    tls: object
    ports: object
    gnutls_aes128: str  # priority file that leaves AES-128-GCM only
    link: object = None  # link.Link between the ends; None: loopback
    groups: object = None  # groups.Pods or BusyMachine; None: unlimited

    @property
    def virtual_bytes(self):
        return self.dataset.virtual_bytes

    @property
    def host(self):
        """Where the target listens."""
        return FAR if self.link else HOST

    def place(self, plan):
        for place in (self.link, self.groups):
            plan = place.place(plan) if place else plan
        return plan

    @property
    def destination(self):
        return self.target.path

    @property
    def reads_zero(self):
        return self.target.reads_zero

    def settle_source(self):
        """Puts the source's page cache into the state the scenario wants,
        before every run: what one contestant read must not warm the next."""
        fd = os.open(self.source, os.O_RDONLY)
        try:
            if self.source_is_cached:
                _read_all(fd, self.virtual_bytes)
            elif not self.source.startswith("/dev/shm/"):
                os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(fd)


class Ports:
    """A fresh port for every run, so that no TIME_WAIT is met."""

    def __init__(self, own_network):
        self._own = own_network
        self._numbers = itertools.count(_FIRST_PORT)

    def take(self):
        if self._own:
            return next(self._numbers)
        with socket.socket() as sock:
            sock.bind((HOST, 0))
            return sock.getsockname()[1]


def _read_all(fd, size):
    buffer = bytearray(MIB)
    size = min(size, os.lseek(fd, 0, os.SEEK_END))
    for begin, end in list(check.data_ranges(fd, size)):
        while begin < end:
            count = os.preadv(fd, [buffer], begin)
            if count == 0:
                return
            begin += count
