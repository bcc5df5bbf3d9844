"""The faults: what each step of a scenario does to a run."""

import contextlib
import os
import pathlib
import random
import shutil
import signal
import time
from typing import Callable

from scenario import source_options, target_options
from source_disk import MIB, SECTOR


class NotNow(Exception):
    """The step finds nothing to act on."""


def _kill(run, *sides: str, sig: int = signal.SIGKILL) -> None:
    if "target" not in run.pair.sides:
        sides = ("source",)
    ended = [run.process[side] for side in sides
             if side in run.process and run.process[side].is_alive]
    if not ended:
        raise NotNow
    for process in ended:
        process.kill(sig)
    for process in ended:
        run.wait_end(process)


def kill_source(run, _rng) -> None:
    _kill(run, "source")


def kill_target(run, _rng) -> None:
    _kill(run, "target")


def kill_both(run, _rng) -> None:
    _kill(run, "target", "source")


def term_source(run, _rng) -> None:
    run.network.release()
    _kill(run, "source", sig=signal.SIGTERM)


def term_target(run, _rng) -> None:
    run.network.release()
    _kill(run, "target", sig=signal.SIGTERM)


def power_cut(run, _rng) -> None:
    """The target's machine loses what its volume has not been given."""
    target = run.process[run.pair.sides[-1]]
    if not target.is_alive:
        raise NotNow
    target.kill(signal.SIGSTOP)
    copy = run.volume.snapshot()
    target.kill(signal.SIGKILL)
    run.wait_end(target)
    roll_back = getattr(run.volume, "roll_back", None)
    if roll_back:
        run.wait_source_knows()
        roll_back(copy)


def cut(run, _rng) -> None:
    run.network.cut(only_busiest=False)


def cut_lane(run, _rng) -> None:
    run.network.cut(only_busiest=True)


def stall(run, rng) -> None:
    run.network.stall()
    time.sleep(rng.choice((0.1, 0.5, 0.5, 4)))
    run.network.release()


def mute(run, _rng) -> None:
    run.network.mute()


# ---- the source's disk ----

def change_source(run, rng) -> None:
    run.disk.change_in_place(rng, restore_time=rng.random() < 0.5)


def replace_source(run, rng) -> None:
    if run.disk.kind == "raw-loop":
        change_source(run, rng)
    else:
        by = rng.choice((0, 0, 0, SECTOR, MIB, -MIB))
        run.disk.replace(rng, run.disk.within_bounds(by))


def resize_source(run, rng) -> None:
    if run.disk.kind != "raw":
        raise NotNow
    by = rng.choice((1, SECTOR, MIB, -1, -SECTOR, -MIB))
    run.disk.resize(run.disk.within_bounds(by))


# ---- the target's volume, while the target is down ----

def tamper_copy(run, rng) -> None:
    """Bytes of an interrupted clone change: bit rot, or another program."""
    if run.volume.is_device:
        _tamper(pathlib.Path(run.volume.dest), rng, may_resize=False)
        return
    files = run.volume.partials()
    if os.path.exists(run.volume.dest):
        files.append(pathlib.Path(run.volume.dest))
    if not files:
        raise NotNow
    path = rng.choice(files)
    before = path.stat()
    if rng.random() < 0.25:  # another file under the name
        other = path.with_name("other")
        shutil.copyfile(path, other)
        os.replace(other, path)
    _tamper(path, rng, may_resize=True)
    if rng.random() < 0.5:
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    run.has_tampered_dest |= str(path) == run.volume.dest


def _tamper(path: pathlib.Path, rng: random.Random, may_resize: bool) -> None:
    with open(path, "r+b") as file:
        size = file.seek(0, os.SEEK_END)
        for _ in range(rng.choice((1, 1, 3))):
            length = min(size, rng.choice((1, 512, 4096, MIB)))
            if not length:
                break
            file.seek(rng.randrange(size - length + 1))
            file.write(bytes(length) if rng.random() < 0.3 else
                       rng.randbytes(length))
        if may_resize and rng.random() < 0.2:
            file.truncate(max(0, size + rng.choice((-MIB, -1, 1, MIB))))
        file.flush()
        os.fsync(file.fileno())


def tamper_record(run, rng) -> None:
    """The record is damaged, cut, emptied, removed or an older one."""
    records = run.volume.records()
    if not records:
        raise NotNow
    path = rng.choice(records)
    data = bytearray(path.read_bytes())
    how = rng.randrange(5)
    if how == 0 and data:
        for _ in range(rng.choice((1, 1, 8))):
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    elif how == 1:
        del data[rng.randrange(len(data) + 1):]
    elif how == 2:
        data = bytearray(rng.randbytes(len(data)))
    elif how == 3:
        path.unlink()
        return
    else:
        data = bytearray(run.old_record or b"")
    path.write_bytes(data)


def roll_back(run, rng) -> None:
    """The volume is again what it was at an earlier moment."""
    if not hasattr(run.volume, "roll_back") or not run.volume.snapshots:
        raise NotNow
    run.volume.roll_back(rng.choice(run.volume.snapshots))


def recreate(run, rng) -> None:
    """Another volume has the name."""
    if not hasattr(run.volume, "recreate"):
        raise NotNow
    run.volume.recreate(rng)


def make_filesystem(run, _rng) -> None:
    """Somebody has made a filesystem on the device."""
    if not run.volume.make_filesystem():
        raise NotNow


def fill_disk(run, rng) -> None:
    """Another file takes nearly all of the volume's space."""
    if not hasattr(run.volume, "loop"):
        raise NotNow
    left = rng.choice((0, 64 << 10, MIB, 4 * MIB))
    with open(run.volume.filler, "ab") as file:
        more = run.volume.free_bytes() - left
        if more <= 0:
            raise NotNow
        with contextlib.suppress(OSError):  # then as much as there is
            os.posix_fallocate(file.fileno(), file.tell(), more)


def other_options(run, rng) -> None:
    """What is started from here on is given other options."""
    run.pair.source_options = source_options(rng)
    run.pair.target_options = target_options(rng)


FAULTS: dict[str, Callable] = {
    function.__name__.replace("_", "-"): function
    for function in (
        kill_source, kill_target, kill_both, term_source, term_target,
        power_cut, cut, cut_lane, stall, mute, change_source, replace_source,
        resize_source, tamper_copy, tamper_record, roll_back, recreate,
        make_filesystem, fill_disk, other_options)
}
