"""The disks that are cloned.  Made once, kept between runs, never changed.

Each is a file beside a .json stamp of what it was made from; a stamp that
does not fit the wish means making it again.
"""

import json
import os
import shutil
import subprocess
from dataclasses import dataclass

from . import check
from .units import GIB, KIB, MIB, format_size

# Bump when a recipe changes: the old files are then made again.
_RECIPE = 1

EMPTY_BYTES = 64 * GIB
EXTENT_BYTES = 4 * KIB
EXTENT_STRIDE_BYTES = 128 * KIB
ZERO_PERCENT = 90
ZERO_STEP = 7919  # a prime: data and zeros are mixed, the same every time


_FORMATS = {"qcow2": "qcow2", "qcow2-zlib": "qcow2", "qcow2-gzip": "gzip",
            "gzip": "gzip", "xz": "xz"}


class Unavailable(Exception):
    """This machine or user cannot make it; the text says why."""


@dataclass
class Dataset:
    """One disk: what a source reads, and what must come out of it."""

    name: str
    path: str  # what the source is given
    format: str  # "raw", "qcow2", "gzip" or "xz": what it is outside
    truth: str  # raw file with the bytes of the disk
    virtual_bytes: int
    data_bytes: int  # allocated in truth: what must move at least


class Store:
    """Makes and finds the data sets of one size in one directory."""

    def __init__(self, directory, size, say):
        self.directory = directory
        self.size = size
        self._say = say
        self._recipes = {
            "dense": self._make_dense,
            "zeros": self._make_zeros,
            "sparse": self._make_sparse,
            "quarter": self._make_quarter,
            "full": self._make_full,
            "qcow2": self._make_qcow2,
            "qcow2-zlib": self._make_qcow2_zlib,
            "qcow2-gzip": self._make_qcow2_gzip,
            "gzip": self._make_gzip,
            "xz": self._make_xz,
            "empty": self._make_empty,
            "extents": self._make_extents,
            "vast": self._make_vast,
        }
        os.makedirs(directory, exist_ok=True)

    def get(self, name):
        """The data set of that name, made now unless it is there.

        "full" is the quarter with every block allocated: under a loop
        device it shows no holes.  Raises Unavailable.
        """
        path = os.path.join(self.directory, f"{name}-{self.size}")
        wish = {"recipe": _RECIPE, "size": self.size}
        if self._read_stamp(path) != wish:
            self._say(f"making data set {name} …")
            self._remove(path)
            self._recipes[name](path)
            self._write_stamp(path, wish)
        kind = _FORMATS.get(name, "raw")
        truth = path if kind == "raw" else self.get("sparse").path
        if name == "full":
            truth = self.get("quarter").path
        return Dataset(name=name, path=path, truth=truth, format=kind,
                       virtual_bytes=os.path.getsize(truth),
                       data_bytes=check.allocated(truth))

    def image_bytes(self):
        """The populated image is mostly empty, as VM disks are."""
        return 8 * self.size

    def quarter_bytes(self):
        """What is read whole is smaller, and to a quarter data: reading and
        sending then both count."""
        return 2 * self.size

    @staticmethod
    def _read_stamp(path):
        try:
            with open(f"{path}.json", encoding="ascii") as file:
                stamp = json.load(file)
        except (OSError, ValueError):
            return None
        return stamp if os.path.exists(path) else None

    @staticmethod
    def _write_stamp(path, wish):
        fd = os.open(path, os.O_RDONLY)
        os.fsync(fd)
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(fd)
        with open(f"{path}.json", "w", encoding="ascii") as file:
            json.dump(wish, file)

    @staticmethod
    def _remove(path):
        for name in (f"{path}.json", path):
            if os.path.exists(name):
                os.unlink(name)

    def _want_space(self, count):
        free = shutil.disk_usage(self.directory).free
        if free < count + GIB:
            raise Unavailable(f"{self.directory} has {format_size(free)} "
                              f"free, needs {format_size(count + GIB)}")

    def _make_dense(self, path):
        self._want_space(self.size)
        with open(path, "wb") as file:
            self._write_noise([(file, 0, self.size)])

    def _make_vast(self, path):
        """100 GiB with 5 GiB of data, for a size of 2 GiB: a twentieth of
        each of 100 parts."""
        part = self.size // 2 // MIB * MIB
        self._want_space(5 * part)
        with open(path, "wb") as file:
            file.truncate(100 * part)
            self._write_noise([(file, n * part + part // 3, part // 20)
                               for n in range(100)])

    @staticmethod
    def _write_noise(places):
        """Incompressible bytes: AES-CTR of zeros, the same every time.
        places: (file, offset, length)."""
        command = ["openssl", "enc", "-aes-128-ctr", "-nosalt", "-in",
                   "/dev/zero", "-K", f"{1:032x}", "-iv", f"{2:032x}"]
        with subprocess.Popen(command, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL) as stream:
            for file, offset, left in places:
                file.seek(offset)
                while left:
                    block = stream.stdout.read(min(left, MIB))
                    if not block:
                        raise RuntimeError("openssl enc ended early")
                    file.write(block)
                    left -= len(block)
            stream.kill()

    def _make_zeros(self, path):
        """The dense disk, nine tenths of it zeros that are written."""
        self._want_space(self.size)
        dense = self.get("dense").path
        with open(dense, "rb") as data, open(path, "wb") as file:
            for number in range(self.size // MIB):
                block = data.read(MIB)
                is_zero = number * ZERO_STEP % 100 < ZERO_PERCENT
                file.write(bytes(len(block)) if is_zero else block)

    def _make_sparse(self, path):
        self._make_filesystem(path, self.image_bytes(), self.size * 4 // 5)

    def _make_quarter(self, path):
        self._make_filesystem(path, self.quarter_bytes(), self.size * 9 // 20)

    def _make_filesystem(self, path, size, budget):
        """A real ext4 filesystem with that many bytes of /usr."""
        self._want_space(3 * budget)
        if not shutil.which("mkfs.ext4", path=_SYSTEM_PATH):
            raise Unavailable("mkfs.ext4 is missing (package e2fsprogs)")
        stage = f"{path}.stage"
        shutil.rmtree(stage, ignore_errors=True)
        try:
            _stage_files("/usr", stage, budget)
            with open(path, "wb") as file:
                file.truncate(size)
            _call("mkfs.ext4", "-q", "-F", "-d", stage, path)
        finally:
            shutil.rmtree(stage, ignore_errors=True)

    def _make_full(self, path):
        self._want_space(self.quarter_bytes())
        _call("dd", f"if={self.get('quarter').path}", f"of={path}", "bs=1M",
              "oflag=direct", "status=none")

    def _make_qcow2(self, path, *options):
        if not shutil.which("qemu-img"):
            raise Unavailable("qemu-img is missing (package qemu-utils)")
        self._want_space(self.size)
        _call("qemu-img", "convert", "-f", "raw", "-O", "qcow2", "-W", *options,
              self.get("sparse").path, path)

    def _make_qcow2_zlib(self, path):
        self._make_qcow2(path, "-c")

    def _make_qcow2_gzip(self, path):
        self._pack(path, self.get("qcow2").path, "gzip", "-1")

    def _make_gzip(self, path):
        self._pack(path, self.get("sparse").path, "gzip", "-1")

    def _make_xz(self, path):
        """As xz -T makes them: blocks that can be found and decoded alone."""
        self._pack(path, self.get("sparse").path, "xz", "-1", "-T0",
                   "--block-size=16MiB")

    def _pack(self, path, what, *command):
        if not shutil.which(command[0]):
            raise Unavailable(f"{command[0]} is missing")
        self._want_space(self.size)
        with open(path, "wb") as file:
            _call(*command, "-c", what, stdout=file)

    @staticmethod
    def _make_empty(path):
        with open(path, "wb") as file:
            file.truncate(EMPTY_BYTES)

    def _make_extents(self, path):
        """A page of data every 128 KiB: 16384 extents in 2 GiB."""
        self._want_space(self.size // 16)
        page = os.urandom(EXTENT_BYTES)
        with open(path, "wb") as file:
            file.truncate(self.size)
            for offset in range(0, self.size, EXTENT_STRIDE_BYTES):
                os.pwrite(file.fileno(), page, offset)


_SYSTEM_PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"


def _call(*command, stdout=subprocess.PIPE):
    environment = dict(os.environ, PATH=_SYSTEM_PATH)
    done = subprocess.run(command, stdout=stdout, stderr=subprocess.PIPE,
                          text=True, check=False, env=environment)
    if done.returncode != 0:
        raise RuntimeError(f"{command[0]}: {done.stderr.strip()}")


def _stage_files(root, stage, budget):
    """Links (else copies) regular files of root into stage, up to budget."""
    for directory, names, files in os.walk(root):
        names.sort()
        for name in sorted(files):
            path = os.path.join(directory, name)
            try:
                status = os.lstat(path)
                if not os.path.isfile(path) or os.path.islink(path):
                    continue
                if status.st_size > budget:
                    return
                _link_or_copy(path, stage + path)
            except OSError:
                continue  # unreadable, or gone meanwhile: take the next
            budget -= -(-status.st_size // 4096) * 4096


def _link_or_copy(path, to):
    os.makedirs(os.path.dirname(to), exist_ok=True)
    try:
        os.link(path, to)
    except OSError:
        shutil.copyfile(path, to)
