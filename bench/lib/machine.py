"""What was measured on, for the record."""

import datetime
import os
import platform
import subprocess

from .contestant import SEARCH_PATH


def describe(directory):
    return {
        "time": datetime.datetime.now(datetime.timezone.utc)
                .isoformat(timespec="seconds"),
        "kernel": platform.release(),
        "machine": platform.machine(),
        "cpu": _field("/proc/cpuinfo", "model name"),
        "cpus": len(os.sched_getaffinity(0)),
        "memory": _field("/proc/meminfo", "MemTotal"),
        "load": os.getloadavg()[0],
        "data_filesystem": filesystem(directory),
        "root": os.geteuid() == 0,
    }


def filesystem(directory):
    """Type of the filesystem that holds directory."""
    directory = os.path.realpath(directory)
    best, kind = "", "unknown"
    with open("/proc/self/mounts", encoding="utf-8") as file:
        for line in file:
            _, where, what = line.split()[:3]
            inside = directory == where or directory.startswith(
                where.rstrip("/") + "/")
            if inside and len(where) >= len(best):
                best, kind = where, what
    return kind


def versions(contestants):
    """First line of each program's own account of itself."""
    known = {"openssl": ["openssl", "version"], "fio": ["fio", "--version"]}
    for contestant in contestants:
        known.update(contestant.versions())
    return {name: _first_line(command) for name, command in known.items()}


def source_revision(root):
    """The commit that was built, as far as git knows."""
    return _first_line(["git", "-C", root, "describe", "--always", "--dirty",
                        "--abbrev=12"])


def _first_line(command):
    try:
        done = subprocess.run(command, capture_output=True, text=True,
                              check=False, timeout=10,
                              env=dict(os.environ, PATH=SEARCH_PATH))
    except (OSError, subprocess.TimeoutExpired):
        return "absent"
    if done.returncode != 0:
        return "unknown"
    text = [line.strip() for line in (done.stdout or done.stderr).splitlines()
            if line.strip() and not line.startswith("socat by")]
    return text[0] if text else "unknown"


def _field(path, name):
    with open(path, encoding="utf-8") as file:
        for line in file:
            key, _, value = line.partition(":")
            if key.strip() == name:
                return value.strip()
    return "unknown"
