"""Who may include whom: layers, vendors in their rooms, no cycles."""

import pathlib
import re
from typing import Iterator

from tree import Problem, files, includes

ALL = {"base", "plan", "wire", "io", "net", "image", "sink", "tree", "track"}
MAY_INCLUDE = {  # layer: what it may name besides itself
    "base": set(),
    "plan": {"base"},
    "wire": {"base"},
    "io": {"base"},
    "net": {"base"},
    "image": {"base", "plan", "io"},
    "sink": {"base", "plan", "io"},
    "tree": {"base", "plan", "io"},
    "track": {"base", "plan", "io"},
    "flow": ALL | {"clonewire"},
    # The programs are thin: the embedding API, and what base offers anyone.
    "cmd/common": {"base", "clonewire"},
    "cmd/source": {"base", "clonewire", "common"},
    "cmd/target": {"base", "clonewire", "common"},
    "cmd/cdi-cloner": {"base", "clonewire", "common"},
    "cmd/cdi-uploadserver": {"base", "clonewire", "common"},
    "clonewire": set(),
}

# One vendor, one room: where its headers may be included, as a pattern.
ROOMS = {
    "blkid": r"sink/contents\.c",
    "liburing": r"io/ring_uring\.c",
    "openssl": r"net/(tls|conn|https)(_[a-z]+)?\.c|"
               r"net/(tls_private|conn_private|conn_bio|https_private)\.h|"
               r"track/digest\.c",
    "intel-ipsec-mb": r"net/tls_gcm\.c",
    "xxhash": r"track/digest\.c",
    "xxh_x86dispatch": r"track/digest\.c",
    "zlib": r"image/gzip[a-z_]*\.c",
    "lzma": r"image/xz[a-z_]*\.c",
    "libqcow": r"image/qcow2_[a-z]+\.c",
    "libbfio": r"image/qcow2_[a-z]+\.c",
    "zstd": r"base/zstd\.c",
    "libdeflate": r"image/qcow2_deflate\.c",
    "http_parser": r"wire/http\.c",
    "snappy-c": r"wire/snapframe\.c",
    "archive": r"tree/[a-z_]+\.c",
    "archive_entry": r"tree/[a-z_]+\.c",
}
ONE_FILE_ONLY = {"blkid", "libqcow", "libbfio", "zstd", "libdeflate",
                 "http_parser", "snappy-c"}

# The C library and the kernel; a header that is neither is a vendor's.
SYSTEM = re.compile(
    r"(sys|linux|net|netinet|arpa|asm)/[a-z0-9_/]+\.h|"
    r"(arm_acle|assert|ctype|dirent|endian|err|errno|fcntl|fnmatch|getopt|"
    r"grp|ifaddrs|immintrin|inttypes|libgen|limits|locale|malloc|math|mntent|"
    r"netdb|paths|poll|pthread|pwd|sched|semaphore|signal|spawn|stdalign|"
    r"stdarg|stdatomic|stdbool|stddef|stdint|stdio|stdlib|stdnoreturn|string|"
    r"strings|syslog|termios|time|unistd)\.h")

# Bytes and numbers in, bytes and numbers out: nothing else is pure.
PURE_LAYERS = {"plan", "wire"}
PURE = re.compile(
    r"(arm_acle|assert|ctype|endian|errno|immintrin|inttypes|limits|stdalign|"
    r"stdarg|stdatomic|stdbool|stddef|stdint|stdio|stdlib|string)\.h")


def check(root: pathlib.Path) -> Iterator[Problem]:
    graph = {}
    vendor_files = {}
    for path in _sources(root):
        layer, name = _place(root, path)
        graph[name] = set()
        for include in includes(path):
            where = (str(path.relative_to(root)), include.line)
            if include.quoted or include.name.startswith("clonewire/"):
                graph[name].add(include.name)
                problem = _check_ours(layer, include.name)
            else:
                problem = _check_theirs(layer, name, include.name)
                vendor_files.setdefault(_vendor(include.name), set()).add(name)
            if problem:
                yield Problem(*where, problem)
    for vendor in sorted(ONE_FILE_ONLY & vendor_files.keys()):
        if len(vendor_files[vendor]) > 1:
            rooms = ", ".join(sorted(vendor_files[vendor]))
            yield Problem(rooms, 0, f"<{vendor}> has more than one room")
    yield from _cycles(graph)


def _sources(root):
    for top in ("include", "src", "cmd"):
        if (root / top).is_dir():
            yield from files(root / top, ".c", ".h")


def _place(root, path):
    """The layer of a file, and the name others include it by."""
    top, *inside = path.relative_to(root).parts
    layer = f"cmd/{inside[0]}" if top == "cmd" else inside[0]
    return layer, "/".join(inside)


def _vendor(header):
    return header.split("/")[0].removesuffix(".h")


def _check_ours(layer, header):
    if "/" not in header:
        return f'"{header}" must be named with its layer'
    if layer not in MAY_INCLUDE:
        return f"{layer}/ is no layer that layers.py knows"
    dependency = header.split("/")[0]
    own = layer.split("/")[-1]
    if dependency != own and dependency not in MAY_INCLUDE[layer]:
        return f"{layer}/ may not include {dependency}/"
    return None


def _check_theirs(layer, name, header):
    if (layer in PURE_LAYERS and not PURE.fullmatch(header)
            and _vendor(header) not in ROOMS):
        return f"{layer}/ is pure: it may not include <{header}>"
    if SYSTEM.fullmatch(header):
        return None
    room = ROOMS.get(_vendor(header))
    if room is None:
        return f"<{header}> is of no library that layers.py knows"
    if not re.fullmatch(room, name):
        return f"<{header}> belongs in {room}"
    return None


def _cycles(graph):
    """Depth first; a file met again on the way down closes a cycle."""
    done = set()

    def visit(name, way):
        if name in way:
            cycle = way[way.index(name):] + [name]
            yield Problem(name, 0, "include cycle: " + " -> ".join(cycle))
            return
        if name in done:
            return
        done.add(name)
        for dependency in sorted(graph.get(name, ())):
            yield from visit(dependency, way + [name])

    for name in sorted(graph):
        yield from visit(name, [])
