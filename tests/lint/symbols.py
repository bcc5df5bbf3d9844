"""Who calls whom: the link graph of the library, read from its objects.

A header may be included without harm; a call to an external function ties
two files together.  So each file of src/ calls only what its layer may
include, and no chain of calls between files comes back to where it began.
"""

import pathlib
import re
import subprocess
from typing import Iterator

from layers import MAY_INCLUDE, NESTED
from tree import Problem

# nm's letters of external definitions; the lower-case ones are local.
DEFINED = set("TDBRVWC")
# The compiler's own, and names that OpenSSL's headers put together by macros.
NOT_IN_HEADERS = re.compile(
    r"_GLOBAL_OFFSET_TABLE_|__tls_get_addr|__stack_chk_\w+|__\w+(di|ti)[234]|"
    r"__\w+_chk|__(asan|ubsan|tsan|gcov|llvm|sanitizer|sanitizer_cov)_\w+|"
    r"(PEM_read_bio|X509|GENERAL_NAMES)_\w+")
HEADERS = pathlib.Path("/usr/include")

SOURCES = pathlib.Path(__file__).resolve().parents[2] / "src"


def check(objects: pathlib.Path) -> Iterator[Problem]:
    """objects: the directory in which CMake makes the library's objects."""
    defined, wanted = _read(objects)
    yield from judge({
        caller: {defined[symbol]: symbol for symbol in symbols
                 if defined.get(symbol, caller) != caller}
        for caller, symbols in wanted.items()})
    yield from judge_foreign({
        symbol: caller for caller, symbols in wanted.items()
        for symbol in symbols if symbol not in defined}, HEADERS)


def judge_foreign(callers: dict[str, str],
                  headers: pathlib.Path) -> Iterator[Problem]:
    """callers: symbol of another library -> a file that wants it."""
    if not callers:
        return
    declared = subprocess.run(
        ["grep", "-rohwF", "--include=*.h", "--exclude-dir=linux",
         "--exclude-dir=c++", "--exclude-dir=llvm*", "--exclude-dir=node",
         "-f", "-", headers],
        input="\n".join(callers), text=True, capture_output=True,
        check=False).stdout
    for symbol in sorted(callers.keys() - set(declared.split())):
        if not NOT_IN_HEADERS.fullmatch(symbol):
            yield Problem(f"src/{callers[symbol]}", 0,
                          f"{symbol} is private to its library: no installed "
                          "header declares it")


def judge(graph: dict[str, dict[str, str]]) -> Iterator[Problem]:
    """graph: file -> file that it calls -> one of the functions."""
    if not graph:
        yield Problem("src", 0, "no objects to read: build the library first")
    for caller, callees in sorted(graph.items()):
        for callee, symbol in sorted(callees.items()):
            if not _may_call(caller, callee):
                yield Problem(f"src/{caller}", 0,
                              f"may not call {symbol}() of {callee}")
    for circle in circles({caller: set(callees)
                           for caller, callees in graph.items()}):
        yield Problem(f"src/{circle[0]}", 0,
                      "calls go in a circle: " + ", ".join(circle))


def _may_call(caller, callee):
    layer, other = caller.split("/")[0], callee.split("/")[0]
    if layer != other:
        return other in MAY_INCLUDE.get(layer, set())
    folder, other = (str(pathlib.PurePath(name).parent)
                     for name in (caller, callee))
    return (folder == other or folder not in NESTED or other not in NESTED
            or other in NESTED[folder])


def _read(objects):
    """symbol -> the file that defines it; file -> the symbols it lacks."""
    defined, wanted = {}, {}
    for path in sorted(objects.rglob("*.c.o")):
        name = str(path.relative_to(objects)).removesuffix(".o")
        # CMake leaves the object of a source that was moved or removed.
        if "CMakeFiles" in objects.parts and not (SOURCES / name).exists():
            continue
        wanted[name] = set()
        lines = subprocess.run(["nm", "-P", path], check=True, text=True,
                               capture_output=True).stdout.splitlines()
        for symbol, kind in (line.split()[:2] for line in lines):
            if kind == "U":
                wanted[name].add(symbol)
            elif kind in DEFINED:
                defined[symbol] = name
    return defined, wanted


def circles(graph: dict[str, set[str]]) -> Iterator[list[str]]:
    """The strongly connected parts of more than one file (Tarjan)."""
    order, low, stack, found = {}, {}, [], []

    def visit(name):
        order[name] = low[name] = len(order)
        stack.append(name)
        for callee in sorted(graph.get(name, ())):
            if callee not in order:
                visit(callee)
            if callee in stack:
                low[name] = min(low[name], low[callee])
        if low[name] == order[name]:
            part = stack[stack.index(name):]
            del stack[stack.index(name):]
            if len(part) > 1:
                found.append(sorted(part))

    for name in sorted(graph):
        if name not in order:
            visit(name)
    yield from found
