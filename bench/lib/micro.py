"""The microbenches, and the instructions of the hot paths.

Time is noisy on a shared machine; the number of instructions is not.  They
are counted by callgrind (or perf where the machine has counters): the
difference of two runs with different numbers of calls, per call, so that
start-up does not count.
"""

import os
import re
import shutil
import subprocess

_PROGRAMS = ("zero", "wire", "digest", "aes", "ring", "tls", "unpack", "lane")

# Measurement, program, calls of the shorter run.  The longer one makes three
# times as many.
_COUNTED = [
    ("zero.dense-chunk", "zero", 50),
    ("zero.zero-chunk-hot", "zero", 5),
    ("wire.frame-encode", "wire", 20000),
    ("wire.frame-decode", "wire", 20000),
    ("wire.progress-both", "wire", 20000),
    ("digest.xxh3-128-chunk", "digest", 5),
    ("digest.zero-bytes-chunk", "digest", 5),
    ("ring.io_uring-read-4k", "ring", 20000),
    ("unpack.libdeflate-64k", "unpack", 50),
    ("unpack.libqcow-64k", "unpack", 50),
]

# How many completions are reaped at once is up to the kernel, which moves a
# count by 2 %: the least of a few runs does not move.
_RUNS = {"ring": 4}

_COLLECTED = re.compile(r"Collected : (\d+)")
_TIMEOUT_S = 300


def run(build, tls, say):
    """{measurement: {"ns", "gb_per_s", "instructions"}}, and what was
    skipped as [(what, why)]."""
    results, skipped = {}, []
    for program in _PROGRAMS:
        path = _path(build, program)
        if not os.access(path, os.X_OK):
            skipped.append((f"micro {program}", f"{path} is not built"))
            continue
        say(f"  micro {program}")
        try:
            results.update(measure(path, _arguments(program, tls)))
        except (RuntimeError, subprocess.TimeoutExpired) as error:
            skipped.append((f"micro {program}", str(error)))
    skipped += _count_all(build, tls, results, say)
    return results, skipped


def table(results):
    lines = ["", "== micro: one thing at a time",
             f"{'':28} {'ns/call':>12} {'GB/s':>8} {'instructions':>13}"]
    for name, figures in results.items():
        rate = figures.get("gb_per_s")
        count = figures.get("instructions")
        lines.append(
            f"{name:28} {figures.get('ns', 0):12.1f} "
            f"{f'{rate:.2f}' if rate else '':>8} "
            f"{f'{count:.0f}' if count is not None else '':>13}".rstrip())
    return lines


def _path(build, program):
    return os.path.join(build, "bench", f"bench-micro-{program}")


def _arguments(program, tls):
    return [tls.directory] if program == "tls" else []


def measure(path, arguments=()):
    """{measurement: {"ns", "gb_per_s"}} of one program."""
    done = subprocess.run([path, *arguments], capture_output=True, text=True,
                          check=False, timeout=_TIMEOUT_S)
    if done.returncode != 0:
        raise RuntimeError(done.stderr.strip())
    results = {}
    for line in done.stdout.splitlines():
        name, ns, rate = line.split()
        results[name] = {"ns": float(ns), "gb_per_s": float(rate)}
    return results


def _count_all(build, tls, results, say):
    counter = _counter()
    if counter is None:
        return [("instruction counts", "neither perf counters nor valgrind")]
    skipped = []
    say("  micro instructions")
    for name, program, calls in _COUNTED:
        if name not in results:
            continue
        command = [_path(build, program), "--only", name]
        arguments = _arguments(program, tls)
        low, high = (
            _least(counter, [*command, "--iterations", str(n), *arguments],
                   _RUNS.get(program, 1)) for n in (calls, 3 * calls))
        if low is None or high is None:
            skipped.append((f"instructions of {name}", "could not count"))
        else:
            results[name]["instructions"] = (high - low) / (2 * calls)
    return skipped


def _least(counter, command, runs):
    counts = [counter(command) for _ in range(runs)]
    return None if None in counts else min(counts)


def _counter():
    """A function from a command to its instructions, or None."""
    if shutil.which("perf") and _by_perf(["true"]) is not None:
        return _by_perf
    if shutil.which("valgrind"):
        return _by_callgrind
    return None


def _by_perf(command):
    done = subprocess.run(["perf", "stat", "-x,", "-e", "instructions:u",
                           *command], capture_output=True, text=True,
                          check=False, timeout=_TIMEOUT_S)
    for line in done.stderr.splitlines():
        value, _, rest = line.partition(",")
        if "instructions" in rest and value.isdigit():
            return int(value)
    return None


def _by_callgrind(command):
    done = subprocess.run(["valgrind", "--tool=callgrind",
                           "--callgrind-out-file=/dev/null", *command],
                          capture_output=True, text=True, check=False,
                          timeout=_TIMEOUT_S)
    found = _COLLECTED.search(done.stderr)
    return int(found[1]) if done.returncode == 0 and found else None
