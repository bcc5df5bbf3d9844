"""The source tree as the rules see it: files, lines, C without its prose."""

import pathlib
import re
from typing import Iterator, NamedTuple

# What stands at the top; besides these, only dotfiles.
TOP = {
    "CHANGELOG.md", "CMakeLists.txt", "CMakePresets.json", "Containerfile",
    "LICENSE", "README.md", "dev",
    "bench", "cmd", "deploy", "docs", "examples", "include", "src", "tests",
}
IGNORED = {"build", ".git", "__pycache__"}  # made, not written

_COMMENT_OR_LITERAL = re.compile(
    r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)
_INCLUDE = re.compile(r'\s*#\s*include\s+(["<])([^">]+)')


class Problem(NamedTuple):
    """One line a person can act on."""

    path: str
    line: int  # 0: the file as a whole
    text: str

    def __str__(self):
        where = f"{self.path}:{self.line}" if self.line else self.path
        return f"{where}: {self.text}"


class Include(NamedTuple):
    line: int
    name: str
    quoted: bool  # "ours", not <theirs>


def files(root: pathlib.Path, *suffixes: str) -> Iterator[pathlib.Path]:
    """Every written file with one of these endings; all when none given."""
    for path in sorted(root.iterdir()):
        if path.name in IGNORED or path.is_symlink():
            continue
        if path.is_dir():
            yield from files(path, *suffixes)
        elif not suffixes or path.suffix in suffixes:
            yield path


def texts(root: pathlib.Path) -> Iterator[tuple[pathlib.Path, str]]:
    """Every written file that is text."""
    for path in files(root):
        data = path.read_bytes()
        if b"\0" in data:
            continue
        try:
            yield path, data.decode()
        except UnicodeDecodeError:
            continue


def code(text: str) -> list[str]:
    """Lines of a C file with comments and literals blanked out."""
    def blank(match):
        return re.sub(r"[^\n]", " ", match[0])

    return _COMMENT_OR_LITERAL.sub(blank, text).split("\n")


def includes(path: pathlib.Path) -> Iterator[Include]:
    for number, line in enumerate(path.read_text().split("\n"), 1):
        match = _INCLUDE.match(line)
        if match:
            yield Include(number, match[2], match[1] == '"')
