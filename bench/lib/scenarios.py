"""The work: which disk, from what, to what, and who takes part.

The first peer of a list is the reference that ratios are taken against: the
strongest one known for that work, not the most convenient.
"""

import fnmatch
import os
import shutil
from dataclasses import dataclass

from . import targets
from .case import Case
from .datasets import Unavailable
from .groups import BusyMachine, Limits, Pods
from .link import Link, Shape
from .units import GIB, MIB, format_size

SHM = "/dev/shm"
_SMALL = 512 * MIB

_MAIN = ("clonewire", "clonewire-threads")
_LANES = ("clonewire-1-lane", "clonewire-2-lanes")
_NBD = ("qemu-img-pull", "qemu-img-pull-aes128", "qemu-img-push",
        "nbdcopy-push", "nbdcopy-push-1", "nbdcopy-push-aes128",
        "nbdcopy-push-default", "nbdcopy-pull", "nbdcopy-pull-1",
        "nbdcopy-pull-default")
_NBD_SHORT = ("qemu-img-pull", "qemu-img-push", "nbdcopy-push",
              "nbdcopy-pull")
_CDI = ("clonewire", "cdi-http", "standin")
_NBD_BEST = ("qemu-img-pull", "nbdcopy-push")  # on disks of all kinds
_CROWDED = ("clonewire", "clonewire-threads", *_NBD_SHORT, "cdi-http",
            "standin", "plain-tcp")
_FLOOR = ("plain-tcp", "cp", "dd")


@dataclass(frozen=True)
class Scenario:
    """source: "file", "loop" (a device over a file), "memory" (a resident
    file) or "memory-loop" (a device over one); target: "file", "loop",
    "dirty-loop" (one that does not read zero), "memory" (a loop device over a
    resident file) or "memory-file" (a new file on tmpfs)."""

    name: str
    about: str
    dataset: str
    source: str
    target: str
    contestants: tuple
    cached: bool = True  # source in the page cache: kind to the peers
    is_main: bool = False
    link: Shape | None = None  # None: loopback
    pods: Limits | None = None  # of each end; None: none
    is_busy: bool = False  # a neighbour wants every CPU, too
    at_most: int | None = None  # bytes of --size: what is slow takes fewer
    reference: str | None = None  # None: the first peer


SCENARIOS = [
    Scenario("resident", "dense disk, resident memory -> resident memory",
             "dense", "memory", "memory",
             (*_MAIN, *_NBD_SHORT, "plain-tcp"), is_main=True),
    Scenario("direct", "dense disk, file in the page cache -> file, durable",
             "dense", "file", "file",
             (*_MAIN, *_NBD, "socat", "rsync", *_FLOOR), is_main=True),
    Scenario("direct-cold", "the same, source not in the page cache",
             "dense", "file", "file",
             (*_MAIN, *_NBD_BEST, "plain-tcp", "dd"), cached=False,
             is_main=True),
    Scenario("direct-block", "dense disk, file -> block device, durable",
             "dense", "file", "loop",
             (*_MAIN, *_NBD_BEST, "plain-tcp", "dd")),
    Scenario("sparse", "populated ext4 image, file -> file",
             "sparse", "file", "file",
             (*_MAIN, *_NBD_SHORT, "socat", "rsync", *_FLOOR)),
    Scenario("sparse-block", "populated ext4 image, file -> block device",
             "sparse", "file", "loop",
             (*_MAIN, *_NBD_BEST, "plain-tcp", "dd")),
    Scenario("block-source", "a device in memory, three quarters zeros that "
             "show no holes -> file", "full", "memory-loop", "file",
             (*_MAIN, "qemu-img-push", "qemu-img-pull", "nbdcopy-push",
              "plain-tcp")),
    Scenario("block-source-disk", "the same on the disk, to be read as fast "
             "as it can be", "full", "loop", "file",
             (*_MAIN, "qemu-img-push", "plain-tcp")),
    Scenario("qcow2", "the image as qcow2 -> raw file",
             "qcow2", "file", "file",
             (*_MAIN, "clonewire-raw", "qemu-img-push", "qemu-nbd-nbdcopy")),
    Scenario("qcow2-zlib", "the image as compressed qcow2 -> raw file",
             "qcow2-zlib", "file", "file",
             ("clonewire", *_LANES, "qemu-img-push", "qemu-nbd-nbdcopy")),
    Scenario("xz", "the image in xz, of many blocks -> raw file",
             "xz", "file", "file",
             ("clonewire", *_LANES, "nbdkit-xz-nbdcopy"), at_most=_SMALL),
    Scenario("gzip", "the image in gzip -> raw file",
             "gzip", "file", "file", ("clonewire", *_LANES), at_most=_SMALL),
    Scenario("qcow2-gzip", "the image as qcow2 in gzip -> raw file",
             "qcow2-gzip", "file", "file", ("clonewire",), at_most=_SMALL),
    Scenario("empty64g", "64 GiB disk without data, file -> file",
             "empty", "file", "file",
             (*_MAIN, "qemu-img-push", "qemu-img-pull", "nbdcopy-pull",
              "nbdcopy-push", "cp"), is_main=True),
    Scenario("vast", "100 GiB disk with 5 GiB of data, at 2 GiB, file -> "
             "block device", "vast", "file", "loop",
             (*_MAIN, "nbdcopy-push")),
    Scenario("zero64g", "64 GiB disk without data -> dirty block device",
             "empty", "file", "dirty-loop",
             (*_MAIN, "qemu-img-push", "nbdcopy-push")),
    Scenario("extents", "a page of data every 128 KiB, file -> file",
             "extents", "file", "file",
             (*_MAIN, *_NBD_BEST, "cp")),
    Scenario("checkpoint", "dense disk -> block device, with and without "
             "checkpoints", "dense", "file", "loop",
             ("clonewire", "clonewire-checkpoints"), at_most=_SMALL),
    Scenario("digest", "dense disk in memory, by both kinds of digest",
             "dense", "memory", "memory", ("clonewire", "clonewire-sha256"),
             at_most=_SMALL),
    Scenario("resume", "dense disk, the end of a clone that was killed",
             "dense", "file", "file",
             ("clonewire", "clonewire-resume", "clonewire-resume-trust"),
             at_most=_SMALL),
    Scenario("resume-link200", "the same over a link of 200 Mbit/s",
             "dense", "file", "file",
             ("clonewire-resume-trust", "clonewire-resume"),
             link=Shape(200, 20, 4096)),
    Scenario("delta", "dense disk, file -> file that holds an older copy",
             "dense", "file", "file",
             ("clonewire-digest", "clonewire-delta", "clonewire-delta-1%",
              "clonewire-delta-4k"),
             reference="clonewire-digest", at_most=_SMALL),
    Scenario("engine", "io_uring against threads, file -> file",
             "dense", "file", "file",
             ("clonewire-uring", "clonewire-threads"), is_main=True),
    Scenario("cdi-http", "dense disk by CDI's contract, resident memory -> "
             "block device in memory", "dense", "memory", "memory", _CDI,
             at_most=GIB),
    Scenario("cdi-http-zeros", "disk with nine tenths of zeros by CDI's "
             "contract, resident memory -> block device in memory",
             "zeros", "memory", "memory", _CDI,
             at_most=GIB),
    Scenario("cdi-http-file", "dense disk by CDI's contract, resident memory "
             "-> new file in memory", "dense", "memory", "memory-file", _CDI,
             at_most=GIB),
    Scenario("cdi-http-file-zeros", "disk with nine tenths of zeros by "
             "CDI's contract, resident memory -> new file in memory",
             "zeros", "memory", "memory-file", _CDI,
             at_most=GIB),
    Scenario("link1g", "dense disk, file -> file over a link of 1 Gbit/s",
             "dense", "file", "file", ("clonewire", "iperf3-1"),
             link=Shape(1000, 20, 4096), reference="iperf3-1",
             at_most=_SMALL),
    Scenario("link1g-4", "the same, four connections",
             "dense", "file", "file", ("clonewire-4-lanes", "iperf3-4"),
             link=Shape(1000, 20, 4096), reference="iperf3-4",
             at_most=_SMALL),
    Scenario("link200m", "populated ext4 image over a link of 200 Mbit/s",
             "sparse", "file", "file",
             ("clonewire", "clonewire-plain", "clonewire-zstd"),
             link=Shape(200, 20, 4096), reference="clonewire-plain",
             at_most=_SMALL // 2),
    Scenario("pods-750m", "dense disk, resident memory -> file, each end with "
             "750m CPU and 600 MiB of memory", "dense", "memory", "file",
             _CROWDED, pods=Limits(750), at_most=GIB,
             reference="nbdcopy-push"),
    Scenario("pods-250m", "the same with 250m CPU", "dense", "memory", "file",
             _CROWDED, pods=Limits(250), at_most=GIB,
             reference="nbdcopy-push"),
    Scenario("busy", "dense disk, resident memory -> file, while a neighbour "
             "of equal weight is busy on every CPU", "dense", "memory",
             "file", _CROWDED, is_busy=True, at_most=GIB,
             reference="nbdcopy-push"),
]


def choose(patterns):
    """Scenarios by name or pattern; none given: the main ones."""
    if not patterns:
        return [s for s in SCENARIOS if s.is_main]
    if "all" in patterns:
        return list(SCENARIOS)
    chosen = []
    for pattern in patterns:
        found = [s for s in SCENARIOS if fnmatch.fnmatch(s.name, pattern)]
        if not found:
            raise ValueError(f"no scenario {pattern!r} (see --list)")
        chosen += [s for s in found if s not in chosen]
    return chosen


class Stage:
    """Makes a Case of a Scenario, and takes it down again."""

    def __init__(self, scenario, store, memory, terms, build):
        """memory: directory on tmpfs; terms: the Case fields that are the
        same for every scenario; build: where our own programs are."""
        self._scenario = scenario
        self._store = store
        self._memory = memory
        self._terms = terms
        self._build = build
        self._link = None
        self._groups = None
        self._loop = None
        self._copy = None
        self._target = None

    def __enter__(self):
        try:
            return self._make()
        except BaseException:
            self.__exit__()
            raise

    def __exit__(self, *_exception):
        for place in (self._link, self._groups):
            if place:
                place.close()
        if self._target:
            self._target.close()
        if self._loop:
            targets.loop_detach(self._loop)
        if self._copy and os.path.exists(self._copy):
            os.unlink(self._copy)

    def _make(self):
        scenario = self._scenario
        if scenario.source.endswith("loop") or scenario.target != "file":
            missing = targets.loop_missing()
            if missing:
                raise Unavailable(missing)
        if scenario.link:
            self._link = Link(self._build, scenario.link)
        if scenario.pods:
            self._groups = Pods(scenario.pods)
        if scenario.is_busy:
            self._groups = BusyMachine()
        dataset = self._store.get(scenario.dataset)
        source = self._make_source(dataset)
        self._target = self._make_target(dataset)
        return Case(dataset=dataset, source=source, target=self._target,
                    source_is_cached=scenario.cached
                    and scenario.source == "file", link=self._link,
                    groups=self._groups,
                    **self._terms)

    def _make_source(self, dataset):
        kind, path = self._scenario.source, dataset.path
        if kind.startswith("memory"):
            ends = 2 if self._scenario.target == "memory" else 1
            self._want_memory(ends * dataset.virtual_bytes)
            self._copy = os.path.join(self._memory, "source.raw")
            path = shutil.copyfile(path, self._copy)
        if kind.endswith("loop"):
            path = self._loop = targets.loop_attach(path, read_only=True)
        return path

    def _make_target(self, dataset):
        size = dataset.virtual_bytes
        if self._scenario.target == "file":
            self._want_disk(size + size // 16)
            return targets.FileTarget(
                os.path.join(self._store.directory, "target.raw"), size)
        if self._scenario.target == "memory-file":
            return targets.FileTarget(
                os.path.join(self._memory, "target.raw"), size)
        in_memory = self._scenario.target == "memory"
        directory = self._memory if in_memory else self._store.directory
        return targets.LoopTarget(os.path.join(directory, "target.back"),
                                  size, keep=in_memory,
                                  dirty=self._scenario.target == "dirty-loop")

    def _want_disk(self, count):
        """A sparse copy takes less, but clonewire refuses a volume that the
        whole disk and a filesystem's share would not fit into."""
        free = shutil.disk_usage(self._store.directory).free
        if free < count:
            raise Unavailable(f"needs a volume with {format_size(count)} "
                              f"free, not {format_size(free)}")

    def _want_memory(self, count):
        free = min(shutil.disk_usage(self._memory).free, _memory_available())
        if free < count + GIB:
            raise Unavailable(f"needs {format_size(count + GIB)} of memory, "
                              f"{format_size(free)} is free")


def _memory_available():
    with open("/proc/meminfo", encoding="ascii") as file:
        for line in file:
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    return 0
