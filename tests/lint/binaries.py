"""The programs as they are shipped: with assertions, and hardened.

Read with readelf and nm; what only debug information tells is not asked of a
stripped program.
"""

import pathlib
import platform
import re
import subprocess
from typing import Iterator

from tree import Problem

# Of "readelf -hld": pattern, what its absence means.
LAYOUT = (
    (r"Type: +DYN", "not position independent (PIE)"),
    (r"GNU_RELRO", "no RELRO"),
    (r"Flags: .*\bNOW\b", "lazy binding: RELRO is not full"),
    (r"GNU_STACK +(0x\w+ +){5}RW +", "an executable stack"),
)
# Of "nm -D": what the program imports if the flag was in effect.
IMPORTS = (
    (r"__assert_fail", "no assertions: built with NDEBUG"),
    (r"__stack_chk_fail", "no stack protector"),
    (r"__(mem|str|v?s?n?printf|read|poll)\w*_chk", "no _FORTIFY_SOURCE"),
)
# In debug information.
FLAGS = ["-ftrivial-auto-var-init=zero", "-fstack-clash-protection"]
IS_X86 = platform.machine() == "x86_64"
if IS_X86:
    FLAGS.append("-fcf-protection")


def check(directory: pathlib.Path) -> Iterator[Problem]:
    """directory: where the build puts the programs."""
    programs = [path for path in sorted(directory.iterdir())
                if path.is_file() and path.stat().st_mode & 0o111]
    if not programs:
        yield Problem(str(directory), 0, "no programs to read: build them")
    for path in programs:
        for text in _problems(path):
            yield Problem(str(path), 0, text)


def _problems(path):
    layout = _output("readelf", "-Whld", path)
    imports = _output("nm", "-D", "--undefined-only", path)
    content = path.read_bytes()
    for patterns, text in ((LAYOUT, layout), (IMPORTS, imports)):
        for pattern, meaning in patterns:
            if not re.search(pattern, text):
                yield meaning
    if ".debug_str" in _output("readelf", "-WS", path):
        for flag in FLAGS:
            if flag.encode() not in content:
                yield f"built without {flag}"
    if IS_X86 and _is_marked(_startup()) and not _is_marked(path):
        yield "not marked for IBT and SHSTK, though the C library is"


def _is_marked(path):
    """For CET.  The linker marks a program only if each part of it is."""
    return re.search(r"IBT, SHSTK", _output("readelf", "-nW", path)) is not None


def _startup():
    return _output("cc", "-print-file-name=Scrt1.o").strip()


def _output(*command):
    return subprocess.run(command, check=True, text=True, errors="replace",
                          capture_output=True).stdout
