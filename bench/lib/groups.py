"""Control groups: both ends as pods with little CPU, or beside a busy
neighbour.

Of the one hierarchy of cgroup v2, or of cpu and memory of v1.  All are removed
at the end; what a killed run left is removed by the next one.
"""

import contextlib
import os
import shutil
import subprocess
import time
from dataclasses import dataclass

from .datasets import Unavailable
from .units import MIB, format_size

ROOT = "/sys/fs/cgroup"
CONTROLLERS = ("cpu", "memory")
_PREFIX = "clonewire-bench."
_PERIOD_US = 100000
_EMPTY_TIMEOUT_S = 5.0
# Enters the groups in $0, then becomes the command.
_ENTER = ('for group in $0; do echo 0 >"$group/cgroup.procs" || exit; done; '
          'exec "$@"')


@dataclass(frozen=True)
class Limits:
    """Of each end: thousandths of a CPU, and memory with its page cache."""

    cpu_milli: int
    memory_bytes: int = 600 * MIB

    def __str__(self):
        return (f"each end {self.cpu_milli}m CPU, "
                f"{format_size(self.memory_bytes)} of memory")


def _hierarchies(root):
    """Directories in which a group is to be made, and whether they are v1."""
    with contextlib.suppress(OSError):
        with open(f"{root}/cgroup.subtree_control", encoding="ascii") as file:
            if set(CONTROLLERS) <= set(file.read().split()):
                return [root], False
    found = [f"{root}/{name}" for name in CONTROLLERS]
    for directory in found:
        if not os.access(f"{directory}/cgroup.procs", os.W_OK):
            raise Unavailable(f"no control groups for {' and '.join(CONTROLLERS)}"
                              f" that this user may make in {root}")
    return found, True


def _files(limits, is_v1):
    """File -> what limits it.  Weights are equal by default."""
    quota_us = limits.cpu_milli * _PERIOD_US // 1000
    if is_v1:
        return {"cpu.cfs_period_us": _PERIOD_US, "cpu.cfs_quota_us": quota_us,
                "memory.limit_in_bytes": limits.memory_bytes}
    return {"cpu.max": f"{quota_us} {_PERIOD_US}",
            "memory.max": limits.memory_bytes}


class Group:
    """One group, in each hierarchy that is needed."""

    def __init__(self, name, limits=None, root=ROOT):
        parents, is_v1 = _hierarchies(root)
        files = _files(limits, is_v1) if limits else {}
        self._paths = [f"{parent}/{_PREFIX}{os.getpid()}.{name}"
                       for parent in parents]
        for path in self._paths:
            _remove_leftovers(os.path.dirname(path))
            os.mkdir(path)
            for file, value in files.items():
                # v1 has the files of each controller in its own hierarchy.
                if not is_v1 or file.startswith(f"{path.split('/')[-2]}."):
                    with open(f"{path}/{file}", "w", encoding="ascii") as out:
                        out.write(str(value))

    def enter(self, command):
        """The command that runs command in this group."""
        return ["/bin/sh", "-c", _ENTER, " ".join(self._paths), *command]

    def close(self):
        for path in self._paths:
            _remove(path)


def _remove(path):
    """A group whose last process has just ended is busy for a moment."""
    deadline = time.monotonic() + _EMPTY_TIMEOUT_S
    while True:
        try:
            os.rmdir(path)
            return
        except FileNotFoundError:
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def _remove_leftovers(parent):
    for name in os.listdir(parent):
        pid = name.removeprefix(_PREFIX).partition(".")[0]
        if name.startswith(_PREFIX) and not os.path.exists(f"/proc/{pid}"):
            with contextlib.suppress(OSError):
                os.rmdir(f"{parent}/{name}")


class Pods:
    """Each end in a group of its own, with limits."""

    def __init__(self, limits):
        self._groups = {}
        try:
            for side in ("source", "target"):
                self._groups[side] = Group(side, limits)
        except BaseException:
            self.close()
            raise

    def place(self, plan):
        for stage in [*plan.clients, *plan.servers]:
            group = self._groups[stage.side]
            stage.pipe = [group.enter(command) for command in stage.pipe]
        return plan

    def close(self):
        for group in self._groups.values():
            group.close()


class BusyMachine:
    """Both ends in one group; in another of equal weight a neighbour that
    would use every CPU."""

    def __init__(self):
        self._neighbours = []
        self._groups = []
        try:
            for name in ("ours", "neighbour"):
                self._groups.append(Group(name))
            spin = self._groups[1].enter(
                [shutil.which("sh"), "-c", "while :; do :; done"])
            for _ in os.sched_getaffinity(0):
                self._neighbours.append(subprocess.Popen(spin))
        except BaseException:
            self.close()
            raise

    def place(self, plan):
        for stage in [*plan.clients, *plan.servers]:
            stage.pipe = [self._groups[0].enter(c) for c in stage.pipe]
        return plan

    def close(self):
        for process in self._neighbours:
            process.kill()
            process.wait()
        for group in self._groups:
            group.close()
