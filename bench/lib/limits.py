"""What the machine allows, measured in the same run.

The bound of a scenario is the time that no mover of this shape can beat: the
plain TCP copy (same reads, writes and socket copies, no TLS), the CPU that
copy and two passes of AES-128-GCM need on all cores, and the disk's own
speed.  The largest of them is the bound.
"""

import json
import os
import shutil
import subprocess

from . import micro
from .case import HOST
from .contestant import KIND_LIMIT, KIND_NETWORK, Contestant
from .measure import Plan, Stage
from .units import GIB, MIB

_AES_BLOCK = 16384  # a TLS record


class PlainTcp(Contestant):
    name = "plain-tcp"
    about = "the same copies at the same depth over bare TCP"
    kind = KIND_LIMIT
    wants_file = True

    def __init__(self, build):
        self._program = os.path.join(build, "bench", "bench-plain-copy")

    def missing(self):
        if not os.access(self._program, os.X_OK):
            return f"{self._program} is not built"
        return None

    def plan(self, case):
        port = str(case.ports.take())
        receive = [self._program, "receive", case.destination, HOST, port]
        send = [self._program, "send", case.source, HOST, port]
        return Plan([Stage("source", [send])],
                    [Stage("target", [receive], port=int(port))])

    def versions(self):
        return {}


class Iperf(Contestant):
    """The bytes of the disk's data, over a number of connections."""

    kind = KIND_NETWORK
    programs = ("iperf3",)
    wants_file = True
    copies = False

    def __init__(self, connections):
        self.name = f"iperf3-{connections}"
        self.about = (f"memory to memory, no TLS, {connections} "
                      f"connection{'s' * (connections > 1)}")
        self._connections = str(connections)

    def plan(self, case):
        port = str(case.ports.take())
        # -n counts what was handed to the kernel; its own end waits for
        # the other side to have all of it.
        send = ["iperf3", "-c", case.host, "-p", port, "-P",
                self._connections, "-n", str(case.dataset.data_bytes),
                "-l", "256K"]
        receive = ["iperf3", "-s", "-1", "-p", port]
        return Plan([Stage("source", [send])],
                    [Stage("target", [receive], port=int(port))])


def aes_gcm_bytes_per_s(build):
    """AES-128-GCM of one core in records of 16 KiB: by the fastest that is
    there, and by OpenSSL's own; None: nothing is."""
    path = os.path.join(build, "bench", "bench-micro-aes")
    if not os.access(path, os.X_OK):
        own = _openssl_bytes_per_s()
        return own, own
    speeds = {name: 1e9 * figures["gb_per_s"]
              for name, figures in micro.measure(path).items()}
    return max(speeds.values()), speeds["aes.openssl-record"]


def _openssl_bytes_per_s():
    if not shutil.which("openssl"):
        return None
    done = subprocess.run(
        ["openssl", "speed", "-mr", "-elapsed", "-seconds", "1", "-bytes",
         str(_AES_BLOCK), "-evp", "aes-128-gcm"],
        capture_output=True, text=True, check=False)
    for line in done.stdout.splitlines():
        if line.startswith("+F:"):
            return float(line.split(":")[-1])
    return None


def disk_bytes_per_s(path, size, is_write):
    """What fio gets at 1 MiB, depth 16, O_DIRECT, with the flush, from
    buffers in huge pages as clonewire's; None: no fio, or it failed.

    A device is only read: its data may be in use.
    """
    if not shutil.which("fio"):
        return None
    command = ["fio", "--output-format=json", "--name=limit", "--bs=1M",
               f"--rw={'write' if is_write else 'read'}", "--direct=1",
               "--iodepth=16", f"--size={min(size, 2 * GIB)}",
               f"--filename={path}"]
    if is_write:
        command += ["--end_fsync=1", "--fallocate=none"]
    else:
        command.append("--readonly")
    huge_pages = {**os.environ, "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}
    for engine in ("io_uring", "libaio"):
        done = subprocess.run([*command, f"--ioengine={engine}"],
                              env=huge_pages,
                              capture_output=True, text=True, check=False)
        if done.returncode == 0:
            job = json.loads(done.stdout)["jobs"][0]
            return _rate(job["write" if is_write else "read"],
                         job["job_runtime"])
    return None


def _rate(figures, runtime_ms):
    """fio's own bw leaves the final fsync out; the runtime has it in."""
    seconds = max(figures["runtime"], runtime_ms) / 1000
    return figures["io_bytes"] / seconds if seconds else None


class Limits:
    """Measured as needed; AES and the disk's write speed once."""

    def __init__(self, directory, build):
        self._directory = directory
        self._aes, self._aes_openssl = aes_gcm_bytes_per_s(build)
        self._write = None

    def of(self, scenario, case, size):
        """{"aes", "aes_openssl", "read", "write"} in bytes/s; None for what
        is not in the way of this scenario, or could not be measured."""
        read = None
        if scenario.source != "memory" and not case.source_is_cached:
            read = disk_bytes_per_s(case.source, case.virtual_bytes, False)
        return {"aes": self._aes, "aes_openssl": self._aes_openssl,
                "read": read,
                "write": (None if scenario.target == "memory"
                          else self._disk_write(size))}

    def _disk_write(self, size):
        if self._write is None:
            path = os.path.join(self._directory, "fio.tmp")
            try:
                self._write = disk_bytes_per_s(path, size, True)
            finally:
                if os.path.exists(path):
                    os.unlink(path)
        return self._write


def is_read_whole(case):
    """A device shows no holes, so all of it has to be read."""
    return case.source.startswith("/dev/loop")


def bound(case, plain, speeds):
    """{"wall_s", "wall_openssl_s", "by", speeds}, or None where nothing of it
    was measured.  The second is what it would be with OpenSSL's own AES.

    plain: samples of the plain TCP copy; its best run counts, since the
    bound is what the machine can do and not what it usually does.
    """
    if not case.dataset.data_bytes:
        return None
    known = _bounds(case, plain, speeds, speeds.get("aes"))
    if not known:
        return None
    wall_s, by = max(known)
    with_openssl = _bounds(case, plain, speeds, speeds.get("aes_openssl"))
    return {"wall_s": wall_s, "wall_openssl_s": max(with_openssl)[0],
            "by": by, "bytes_per_s": speeds}


def _bounds(case, plain, speeds, aes):
    """What is in the way, each as (seconds, name)."""
    data = case.dataset.data_bytes
    known = []
    if plain:
        best = min(s.wall_s for s in plain)
        known.append((best, "plain TCP copy"))
    if plain and aes:
        # The copies of a loop device are made by kernel threads.
        cpu = min(sum(s.cpu_s.values()) +
                  (s.kernel_cpu_s if case.target.is_block else 0)
                  for s in plain)
        cores = len(os.sched_getaffinity(0))
        known.append(((cpu + 2 * data / aes) / cores,
                      "CPU: plain TCP copy + 2 x AES-128-GCM"))
    if speeds.get("read"):
        scanned = case.virtual_bytes if is_read_whole(case) else data
        known.append((scanned / speeds["read"], "disk read"))
    if speeds.get("write"):
        known.append((data / speeds["write"], "disk write"))
    return known
