"""Where the copy goes, what of it is on stable storage, and what befalls it.

A volume with a backing file (root) is a loop device over it.  What the backing
file holds is what the disk was given; a copy of it, taken when a program ends,
lacks what only the page cache above the loop device had.
"""

import os
import pathlib
import random
import subprocess
import threading
import time

from source_disk import MIB, copy_sparse, digest_of, run

# Journal commits come from fsync alone, for as long as a scenario takes.
MOUNT = "commit=300,nodiscard"


def attach(backing: pathlib.Path, device: str = "") -> str:
    """A loop device over backing: this one, where it is free, or any."""
    for attempt in range(50):
        try:
            if device:
                run("losetup", device, backing)
                return device
            return run("losetup", "-f", "--show", backing).strip()
        except RuntimeError:
            if attempt == 49:
                raise
            time.sleep(0.1)
    raise AssertionError("not reached")


def detach(device: str) -> None:
    """Detaches a loop device, and waits until it is free."""
    subprocess.run(["losetup", "-d", device], capture_output=True, check=False)
    for _ in range(50):
        if subprocess.run(["losetup", device], capture_output=True,
                          check=False).returncode:
            return
        time.sleep(0.1)


def mount_image(image: pathlib.Path, root: pathlib.Path, options: str) -> str:
    """Mounts an image; again, where another process has detached the loop
    device, as its number was that process's a moment before."""
    for attempt in range(5):
        loop = attach(image)
        try:
            run("mount", "-o", options, loop, root)
            return loop
        except RuntimeError:
            detach(loop)
            if attempt == 4:
                raise
    raise AssertionError("not reached")


def unmount(directory: pathlib.Path) -> None:
    """Unmounts, by force if it must be."""
    for option in ([], [], ["-l"]):
        done = subprocess.run(["umount", *option, directory],
                              capture_output=True, check=False)
        if not done.returncode:
            return
        time.sleep(0.2)


class Volume:
    """Base of all: the name of the copy, and copies of the backing file."""

    is_device = False

    def __init__(self, directory: pathlib.Path):
        self.directory = directory
        self.backing = directory / "backing"
        self.snapshots: list[pathlib.Path] = []
        self._lock = threading.Lock()
        self.has_foreign_data = False  # no state of ours: not to be overwritten

    dest: str

    @property
    def filler(self) -> pathlib.Path:
        """A file that takes the space of others."""
        return self.directory / "volume" / "filler"

    def snapshot(self) -> pathlib.Path:
        """Copies what is on stable storage at this moment."""
        copy = self._new_copy()
        for _ in range(20):  # a copy of one moment: without writers
            before = self.backing.stat().st_mtime_ns
            copy_sparse(self.backing, copy)
            if self.backing.stat().st_mtime_ns == before:
                break
        return copy

    def _new_copy(self) -> pathlib.Path:
        with self._lock:  # both programs may end at one time
            copy = self.directory / f"stable{len(self.snapshots)}"
            self.snapshots.append(copy)
            return copy

    def read_snapshot(self, copy: pathlib.Path, check):
        """Result of check(path): path is the destination as copy has it."""
        raise NotImplementedError

    def partials(self) -> list[pathlib.Path]:
        """Files that an interrupted clone left, and resumes from."""
        return []

    def records(self) -> list[pathlib.Path]:
        """Files in which the target keeps how far it is."""
        return [path for path in sorted((self.directory / "state").iterdir())
                if path.is_file()]

    def close(self) -> None:
        """Gives everything back to the system."""


class Plain(Volume):
    """A directory, without mounts: durability is not checked."""

    def __init__(self, directory: pathlib.Path):
        super().__init__(directory)
        self.root = directory / "volume"
        self.root.mkdir()
        self.dest = str(self.root / "copy")

    def snapshot(self) -> pathlib.Path:
        """Copies the file, durable or not."""
        copy = self._new_copy()
        if os.path.exists(self.dest):
            copy_sparse(pathlib.Path(self.dest), copy)
        return copy

    def read_snapshot(self, copy: pathlib.Path, check):
        return check(copy)

    def partials(self) -> list[pathlib.Path]:
        return [path for path in sorted(self.root.iterdir())
                if "partial" in path.name and path.is_file()]

    def records(self) -> list[pathlib.Path]:
        return super().records() + [
            path for path in sorted(self.root.iterdir())
            if "state" in path.name and path.is_file()]

    def free_bytes(self) -> int:
        """Free space that any program may use."""
        stat = os.statvfs(self.root)
        return stat.f_bavail * stat.f_frsize


class Mounted(Plain):
    """A file on an ext4 of its own, on a loop device."""

    def __init__(self, directory: pathlib.Path, size: int):
        super().__init__(directory)
        with open(self.backing, "wb") as file:
            file.truncate(size)
        self.loop = ""
        self._make_filesystem()
        self._mount()

    def _make_filesystem(self) -> None:
        run("mkfs.ext4", "-q", "-F", "-m", "0", "-E", "nodiscard", self.backing)

    def _mount(self) -> None:
        self.loop = mount_image(self.backing, self.root, MOUNT)

    def _unmount(self) -> None:
        unmount(self.root)
        detach(self.loop)

    def snapshot(self) -> pathlib.Path:
        return Volume.snapshot(self)

    def read_snapshot(self, copy: pathlib.Path, check):
        """Mounts a copy of copy, so that the journal is replayed."""
        image, root = self.directory / "replay", self.directory / "replayed"
        copy_sparse(copy, image)
        root.mkdir(exist_ok=True)
        loop = mount_image(image, root, "nodiscard")
        try:
            return check(root / pathlib.Path(self.dest).name)
        finally:
            unmount(root)
            detach(loop)
            image.unlink()

    def roll_back(self, copy: pathlib.Path) -> None:
        """Makes the volume again what it was when copy was taken."""
        self._unmount()
        self.backing.unlink()
        copy_sparse(copy, self.backing)
        self._mount()

    def recreate(self, _rng: random.Random) -> None:
        """Another, empty volume under the same name."""
        self._unmount()
        size = self.backing.stat().st_size
        self.backing.unlink()
        with open(self.backing, "wb") as file:
            file.truncate(size)
        self._make_filesystem()
        self._mount()

    def close(self) -> None:
        self._unmount()


class Device(Volume):
    """A loop device, that is a block volume."""

    is_device = True

    def __init__(self, directory: pathlib.Path, size: int):
        super().__init__(directory)
        self.size = -(-size // 512) * 512
        with open(self.backing, "wb") as file:
            file.truncate(self.size)
        self.dest = attach(self.backing)

    def read_snapshot(self, copy: pathlib.Path, check):
        return check(copy)

    def roll_back(self, copy: pathlib.Path) -> None:
        """Writes what copy has through the device, as a restore does."""
        run("dd", f"if={copy}", f"of={self.dest}", "bs=1M", "conv=fsync",
            "status=none")
        self.has_foreign_data = False

    def recreate(self, rng: random.Random) -> None:
        """Another volume under the same name: blank, or with other data."""
        detach(self.dest)
        self.backing.unlink()
        with open(self.backing, "wb") as file:
            if rng.random() < 0.5:
                file.write(rng.randbytes(min(self.size, MIB)))
                self.has_foreign_data = True
            else:
                self.has_foreign_data = False
            file.truncate(self.size)
        attach(self.backing, self.dest)

    def make_filesystem(self) -> bool:
        """Somebody's filesystem over all that was there."""
        if self.size < 4 * MIB:
            return False
        run("mkfs.ext4", "-q", "-F", self.dest)
        run("blockdev", "--flushbufs", self.dest)
        self.has_foreign_data = True
        return True

    def first_bytes(self) -> str:
        """Digest of the first MiB, past the page cache of the device."""
        return digest_of(self.backing, MIB)

    def close(self) -> None:
        detach(self.dest)
