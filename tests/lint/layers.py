"""Who may include whom: layers, vendors in their rooms, no cycles."""

import pathlib
import re
from typing import Iterator

from tree import Problem, files, includes

# From the top down: a layer may include those of the lines after its own.
# Layers of one line never see each other.
ORDER = (
    ("api",),
    ("source", "target"),
    ("cdi",),
    ("resume",),
    ("control", "transfer", "monitor"),
    ("http",),
    ("job",),
    ("image", "sink", "record", "net"),
    ("tar",),
    ("tls", "wire", "plan", "io"),
    ("base",),
)
MAY_INCLUDE = {  # layer: what it may name besides itself
    layer: {below for row in ORDER[number + 1:] for below in row}
    for number, row in enumerate(ORDER) for layer in row
}
# The public header's types: for the layers that serve it or whose options it
# names.
for _layer in ("api", "source", "target", "cdi", "resume", "control",
               "transfer", "monitor", "http", "job", "image", "sink", "tar",
               "io", "base"):
    MAY_INCLUDE[_layer].add("clonewire")
# The programs are thin: the embedding API, and what base offers anyone.
COMMAND = {"base", "clonewire", "options", "output", "program"}
for _layer in ("options", "output", "program", "clonewire-source",
               "clonewire-target", "cdi-cloner", "cdi-uploadserver"):
    MAY_INCLUDE[f"cmd/{_layer}"] = COMMAND
MAY_INCLUDE["clonewire"] = set()

# A folder in a layer: the folders of that layer it may include; all of them
# may include what lies in the layer itself.
NESTED = {
    "image/qcow2": {"image/stream"},
    "image/block_map": {"image/stream"},
    "image/vdi": {"image/block_map"},
    "image/vhd": {"image/block_map"},
    "image/vhdx": {"image/block_map"},
    "image/vmdk": {"image/block_map"},
    "image/nbd": set(),
    "image/tree": set(),
    "image/stream": set(),
}

# One vendor, one room: where its headers may be included, as a pattern.
ROOMS = {
    "blkid": r"sink/blkid_probe\.c",
    "liburing": r"io/io_queue_uring\.c",
    "openssl": r"tls/[a-z_]+\.c|tls/(tls_private|socket_bio)\.h|"
               r"net/conn(_[a-z]+)?\.c|net/conn_private\.h|"
               r"record/digest\.c",
    "intel-ipsec-mb": r"tls/gcm_provider\.c",
    "xxhash": r"record/digest\.c",
    "xxh_x86dispatch": r"record/digest\.c",
    "isa-l": r"wire/crc32c\.c|image/stream/gzip\.c",
    "zlib": r"image/stream/gzip[a-z_]*\.c",
    "lzma": r"image/stream/xz[a-z_]*\.c|image/stream/xz_private\.h",
    "libqcow": r"image/qcow2/[a-z_]+\.c",
    "libbfio": r"image/qcow2/[a-z_]+\.c",
    "libnbd": r"image/nbd/library\.h",
    "zstd": r"base/zstd\.c",
    "libdeflate": r"image/inflate\.c",
    "snappy-c": r"http/snappy_frame\.c",
    "archive": r"tar/[a-z_]+\.c",
    "archive_entry": r"tar/[a-z_]+\.c",
}
ONE_FILE_ONLY = {"blkid", "libqcow", "libbfio", "zstd", "libdeflate",
                 "snappy-c"}

# The C library and the kernel; a header that is neither is a vendor's.
SYSTEM = re.compile(
    r"(sys|linux|net|netinet|arpa|asm)/[a-z0-9_/]+\.h|"
    r"(arm_acle|assert|ctype|dirent|dlfcn|endian|err|errno|fcntl|fnmatch|fts|getopt|"
    r"grp|ifaddrs|immintrin|inttypes|libgen|limits|locale|malloc|math|mntent|"
    r"netdb|paths|poll|pthread|pwd|sched|semaphore|signal|spawn|stdalign|"
    r"stdarg|stdatomic|stdbool|stddef|stdint|stdio|stdio_ext|stdlib|stdnoreturn|string|"
    r"strings|syslog|termios|time|unistd)\.h")

# Bytes and numbers in, bytes and numbers out: nothing else is pure.
PURE_LAYERS = {"plan", "wire"}
PURE_FILES = re.compile(r"http/(message|multipart|snappy_frame)\.[ch]")
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
                problem = _check_ours(layer, name, include.name)
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


def _check_ours(layer, name, header):
    if "/" not in header:
        return f'"{header}" must be named with its layer'
    if layer not in MAY_INCLUDE:
        return f"{layer}/ is not a layer of layers.py"
    dependency = header.split("/")[0]
    own = layer.removeprefix("cmd/")
    if dependency not in MAY_INCLUDE[layer] | {own}:
        return f"{layer}/ may not include {dependency}/"
    return _check_nested(name, header)


def _check_nested(name, header):
    """Of two folders within one layer."""
    folder, other = (str(pathlib.PurePath(file).parent)
                     for file in (name, header))
    if folder not in NESTED or other not in NESTED or folder == other:
        return None
    if other in NESTED[folder]:
        return None
    return f"{folder}/ may not include {other}/"


def _check_theirs(layer, name, header):
    is_pure = layer in PURE_LAYERS or PURE_FILES.fullmatch(name)
    if (is_pure and not PURE.fullmatch(header)
            and _vendor(header) not in ROOMS):
        return f"{name} is pure: it may not include <{header}>"
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
