"""Where disks go: a file, or a loop device over a file.

A target is reset before every run, outside the clock, so that each run meets
the same state: no file, an empty device, or a device whose every page is
already in memory.
"""

import fcntl
import os
import struct
import subprocess

from . import check
from .units import MIB

BLKDISCARD = 0x1277
BLKFLSBUF = 0x1261
_POISON = b"\x5a" * 4096


class FileTarget:
    """A file that does not exist yet, or exists empty for tools that want
    one."""

    is_block = False
    reads_zero = True

    def __init__(self, path, virtual_bytes):
        self.path = path
        self.virtual_bytes = virtual_bytes

    def reset(self, wants_file):
        self.close()
        if wants_file:
            with open(self.path, "wb") as file:
                file.truncate(self.virtual_bytes)

    def sync(self):
        """What every contestant must wait for: data on stable storage."""
        _fdatasync(self.path)

    def allocated(self):
        return check.allocated(self.path)

    def content_path(self):
        """Where the checker reads it: holes visible."""
        return self.path

    def close(self):
        if os.path.exists(self.path):
            os.unlink(self.path)


class LoopTarget:
    """A loop device over its own file.

    keep: never emptied between runs.  Over a populated file in memory that
    makes overwriting cost a copy and no page allocation, which is what a
    page-cache-resident target means.

    dirty: before each run some bytes of every MiB are not zero, and all of
    it has to become so.
    """

    is_block = True

    def __init__(self, backing, virtual_bytes, keep, dirty=False):
        self.reads_zero = not (keep or dirty)
        self.virtual_bytes = virtual_bytes
        self._backing = backing
        with open(backing, "wb") as file:
            file.truncate(virtual_bytes)
            if keep:
                _populate(file, virtual_bytes)
        self.path = loop_attach(backing)

    def reset(self, _wants_file):
        if not self.reads_zero:
            self._poison()
            return
        fd = os.open(self.path, os.O_RDWR)
        try:
            # Only to start from the same state; that the range reads zero
            # afterwards is what loop over a file gives, not a rule.
            fcntl.ioctl(fd, BLKDISCARD,
                        struct.pack("QQ", 0, self.virtual_bytes))
            os.fsync(fd)
        finally:
            os.close(fd)

    def _poison(self):
        """A few bytes of every MiB differ from what the last run left, so
        that a run that writes nothing cannot pass for a copy."""
        with open(self._backing, "r+b") as file:
            for offset in range(0, self.virtual_bytes, MIB):
                os.pwrite(file.fileno(), _POISON, offset)
        fd = os.open(self.path, os.O_RDWR)
        try:
            fcntl.ioctl(fd, BLKFLSBUF)
        finally:
            os.close(fd)

    def sync(self):
        _fdatasync(self.path)

    def allocated(self):
        return check.allocated(self._backing)

    def content_path(self):
        return self._backing

    def close(self):
        if self.path:
            loop_detach(self.path)
            self.path = None
        if os.path.exists(self._backing):
            os.unlink(self._backing)


def loop_attach(backing, read_only=False):
    """A new loop device over backing, O_DIRECT where its filesystem can."""
    command = ["losetup", "--find", "--show", "--direct-io=on", backing]
    if read_only:
        command.insert(1, "--read-only")
    for attempt in (command, [c for c in command if "direct" not in c]):
        done = _losetup(attempt)
        if done.returncode == 0:
            return done.stdout.strip()
    raise RuntimeError(f"losetup: {done.stderr.strip()}")


def loop_detach(device):
    _losetup(["losetup", "--detach", device])


def loop_over(backing):
    """Loop devices over backing, left by a run that was killed."""
    done = _losetup(["losetup", "--noheadings", "--output", "NAME",
                     "--associated", backing])
    return done.stdout.split()


def loop_missing():
    """None when loop devices can be used, else why not."""
    if os.geteuid() != 0:
        return "loop devices need root"
    if not os.path.exists("/dev/loop-control"):
        return "no loop devices in this kernel"
    return None


def _losetup(command):
    environment = dict(os.environ,
                       PATH=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    return subprocess.run(command, capture_output=True, text=True,
                          check=False, env=environment)


def _fdatasync(path):
    fd = os.open(path, os.O_RDWR)
    try:
        os.fdatasync(fd)
    finally:
        os.close(fd)


def _populate(file, size):
    """Every page of the file in memory, with bytes in it."""
    block = b"\xa5" * MIB
    for _ in range(size // len(block)):
        file.write(block)
    file.write(block[:size % len(block)])
