"""Sizes: of functions, of files, and of the top of the tree."""

import pathlib
from typing import Iterator

from tree import IGNORED, TOP, Problem, code, files

FUNCTION_LINES = 100
FILE_LINES = 600


def check(root: pathlib.Path) -> Iterator[Problem]:
    for entry in sorted(root.iterdir()):
        known = entry.name in TOP or entry.name in IGNORED
        if not known and not entry.name.startswith("."):
            yield Problem(entry.name, 0, "does not belong at the top")
    for path in files(root, ".c", ".h", ".py", ".sh"):
        name = str(path.relative_to(root))
        text = path.read_text()
        lines = text.count("\n")
        if lines > FILE_LINES:
            yield Problem(name, 0, f"{lines} lines: this is two rooms")
        if path.suffix in (".c", ".h"):
            yield from _functions(name, text)


def _functions(name, text):
    """clang-format puts a function's braces, and no others, in column 0."""
    begin = None
    for number, line in enumerate(code(text), 1):
        if line.rstrip() == "{":
            begin = number
        elif line.rstrip() == "}" and begin is not None:
            lines = number - begin + 1
            if lines > FUNCTION_LINES:
                yield Problem(name, begin, f"a function of {lines} lines")
            begin = None
