"""What libclonewire.so exports: the functions of its header, each named in the
version script, and nothing else."""

import pathlib
import re
import subprocess
from typing import Iterator

from tree import Problem, code

ROOT = pathlib.Path(__file__).resolve().parents[2]
HEADER = "include/clonewire/clonewire.h"
SCRIPT = "src/api/clonewire.map"


def check(directory: pathlib.Path) -> Iterator[Problem]:
    """directory: where the build puts the library."""
    library = directory / "libclonewire.so"
    if not library.exists():
        yield Problem(str(library), 0, "no library to read: build it")
        return
    yield from judge((ROOT / HEADER).read_text(), (ROOT / SCRIPT).read_text(),
                     exported(library))


def judge(header: str, script: str, symbols: set[str]) -> Iterator[Problem]:
    declared = set(re.findall(r"\b(cw_\w+)\(", "\n".join(code(header))))
    named = set(re.findall(r"(\w+);", "\n".join(code(script))))
    for symbol in sorted(declared - named):
        yield Problem(SCRIPT, 0, f"{symbol}() of {HEADER} is missing")
    for symbol in sorted(named - declared):
        yield Problem(HEADER, 0, f"{symbol}() of the ABI is gone: programs "
                      "that use it no longer start")
    for symbol in sorted(named & declared - symbols):
        yield Problem("libclonewire.so", 0, f"does not export {symbol}")
    for symbol in sorted(symbols - named):
        yield Problem("libclonewire.so", 0, f"exports {symbol}, which is not "
                      f"in {SCRIPT}")


def exported(library: pathlib.Path) -> set[str]:
    lines = subprocess.run(["nm", "-DP", "--defined-only", library], text=True,
                           check=True, capture_output=True).stdout.splitlines()
    return {name.split("@")[0] for name, kind in
            (line.split()[:2] for line in lines) if kind != "A"}
