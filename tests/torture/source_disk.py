"""The source's disk: its content, its image file, and every state it had."""

import dataclasses
import gzip
import hashlib
import lzma
import os
import pathlib
import random
import shutil
import subprocess

MIB = 1 << 20
SECTOR = 512
MAX_GROWTH = 2 * MIB  # beyond the size that a disk begins with

# Formats of the image, and how qemu-img writes them.
QCOW2 = {
    "qcow2": [],
    "qcow2-small": ["-o", "cluster_size=4096"],
    "qcow2-zlib": ["-c"],
    "qcow2-zstd": ["-c", "-o", "compression_type=zstd"],
    "qcow2-backing": [],
}
FORMATS = ("raw", "raw-loop", "gz", "xz", *QCOW2)


@dataclasses.dataclass
class State:
    """One content that the source's disk had, as a raw file that is kept."""

    name: str
    path: pathlib.Path
    size: int
    digest: str


def run(*command, cwd: pathlib.Path | None = None) -> str:
    """Runs a tool that must succeed, and gives what it prints."""
    done = subprocess.run([str(word) for word in command], text=True, cwd=cwd,
                          stdin=subprocess.DEVNULL, capture_output=True)
    if done.returncode:
        raise RuntimeError(f"{command[0]}: {done.stderr.strip()}")
    return done.stdout


def copy_sparse(old: pathlib.Path, new: pathlib.Path) -> None:
    """Copies a file with its holes."""
    with open(old, "rb") as source, open(new, "wb") as copy:
        size = source.seek(0, os.SEEK_END)
        copy.truncate(size)
        end = 0
        while end < size:
            try:
                start = os.lseek(source.fileno(), end, os.SEEK_DATA)
            except OSError:  # a hole up to the end
                break
            end = os.lseek(source.fileno(), start, os.SEEK_HOLE)
            while start < end:
                start += os.copy_file_range(source.fileno(), copy.fileno(),
                                            end - start, start, start)


def digest_of(path: pathlib.Path, size: int) -> str:
    """Digest of the first size bytes of a file or device."""
    digest = hashlib.blake2b(digest_size=16)
    with open(path, "rb") as file:
        while size > 0:
            piece = file.read(min(size, MIB))
            if not piece:
                break
            digest.update(piece)
            size -= len(piece)
    return digest.hexdigest()


def fill(path: pathlib.Path, size: int, data: int, rng: random.Random) -> None:
    """Makes a disk with about data bytes of random, packable and zero runs."""
    with open(path, "wb") as file:
        file.truncate(size)
        left = min(size, data)
        while left > 0:
            length = min(left, size, rng.choice((512, 4096, 65536, MIB, 3 * MIB)))
            file.seek(rng.randrange(size - length + 1))
            if rng.random() < 0.5:
                file.seek(file.tell() // 4096 * 4096)
            file.write(_bytes(length, rng))
            left -= length


def _bytes(length: int, rng: random.Random) -> bytes:
    kind = rng.random()
    if kind < 0.15:
        return bytes(length)
    if kind < 0.4:
        word = b"%d packs well. " % rng.randrange(1000)
        return (word * (length // len(word) + 1))[:length]
    return rng.randbytes(length)


class SourceDisk:
    """A disk in an image file under directory, and its history."""

    def __init__(self, directory: pathlib.Path, kind: str):
        self.directory = directory
        self.kind = kind
        self.image = directory / f"image.{kind.split('-')[0]}"
        self.states: list[State] = []
        self.changes = 0  # how many times the image was changed
        self.loop = ""  # block device over the image

    def create(self, size: int, data: int, rng: random.Random) -> None:
        """Makes the disk's first state, and the image of it."""
        raw = self.directory / "state0"
        fill(raw, size, data, rng)
        self._remember(raw)
        self._write_image(self.image)

    @property
    def now(self) -> State:
        """The state that the image has."""
        return self.states[-1]

    def path(self) -> str:
        """What the source program is given."""
        return self.loop or str(self.image)

    def age(self, path: pathlib.Path, rng: random.Random) -> None:
        """Writes an older copy of the disk to path: some of it differs."""
        copy_sparse(self.now.path, path)
        with open(path, "r+b") as file:
            for offset, data in self._scatter(rng, rng.randrange(1, 20)):
                file.seek(offset)
                file.write(data)

    def change_in_place(self, rng: random.Random, restore_time: bool) -> None:
        """Writes to the image as a guest would; each write is a state."""
        before = os.stat(self.image)
        if self.kind.startswith("raw"):
            for offset, data in self._scatter(rng, rng.randrange(1, 4)):
                self._next(lambda file: _write_at(file, offset, data))
                self._write_raw(offset, data)
        else:
            self._mutate(rng)
            new = self._written_aside()
            with open(new, "rb") as old, open(self.image, "wb") as file:
                shutil.copyfileobj(old, file)
            new.unlink()
        if restore_time:
            os.utime(self.image, ns=(before.st_atime_ns, before.st_mtime_ns))

    def replace(self, rng: random.Random, resize: int) -> None:
        """Moves another image over this one's name; resize: bytes more."""
        self._mutate(rng, resize)
        os.replace(self._written_aside(), self.image)

    def resize(self, by: int) -> None:
        """Grows or shrinks a raw image in place."""
        size = max(0, self.now.size + by)
        self._next(lambda file: file.truncate(size))
        os.truncate(self.image, size)

    def within_bounds(self, by: int) -> int:
        """A change of size, turned round where the target has no room."""
        most = self.states[0].size + MAX_GROWTH
        return -by if self.now.size + by > most else by

    # ---- states ----

    def _remember(self, raw: pathlib.Path) -> None:
        size = raw.stat().st_size
        if self.kind in QCOW2 or self.kind == "raw-loop":
            size = -(-size // SECTOR) * SECTOR
            os.truncate(raw, size)
        self.states.append(State(raw.name, raw, size, digest_of(raw, size)))

    def _next(self, change) -> None:
        """A state that the image has from now on, or in a moment."""
        raw = self.directory / f"state{len(self.states)}"
        copy_sparse(self.now.path, raw)
        with open(raw, "r+b") as file:
            change(file)
        self._remember(raw)
        self.changes += 1

    def _mutate(self, rng: random.Random, resize: int = 0) -> None:
        def change(file):
            for offset, data in self._scatter(rng, rng.randrange(2, 8)):
                _write_at(file, offset, data)
            file.truncate(max(0, self.now.size + resize))
        self._next(change)

    def _scatter(self, rng: random.Random, count: int):
        """Writes of one block each, so that no write can be seen in part."""
        for _ in range(count if self.now.size else 0):
            offset = rng.randrange(self.now.size) // 4096 * 4096
            yield offset, rng.randbytes(min(4096, self.now.size - offset))

    # ---- the image ----

    def _write_raw(self, offset: int, data: bytes) -> None:
        with open(self.path(), "r+b", buffering=0) as file:
            _write_at(file, offset, data)
            if self.loop:
                os.fsync(file.fileno())

    def _written_aside(self) -> pathlib.Path:
        new = self.image.with_name("image.new")
        self._write_image(new)
        return new

    def _write_image(self, path: pathlib.Path) -> None:
        raw = self.now.path
        if self.kind in QCOW2:
            self._write_qcow2(raw, path)
        elif self.kind == "gz":
            with open(raw, "rb") as old, gzip.open(path, "wb", 1) as new:
                shutil.copyfileobj(old, new, MIB)
        elif self.kind == "xz":
            with open(raw, "rb") as old, lzma.open(path, "wb", preset=0) as new:
                shutil.copyfileobj(old, new, MIB)
        else:
            copy_sparse(raw, path)

    def _write_qcow2(self, raw: pathlib.Path, path: pathlib.Path) -> None:
        options = list(QCOW2[self.kind])
        if self.kind == "qcow2-backing":
            base = self.directory / f"base{len(self.states)}"
            self.age(base, random.Random(len(self.states)))
            options += ["-B", base.name, "-F", "raw"]
        run("qemu-img", "convert", "-f", "raw", "-O", "qcow2", *options, raw,
            path, cwd=self.directory)


def _write_at(file, offset: int, data: bytes) -> None:
    file.seek(offset)
    file.write(data)
