"""A static function's name stands for one function in its layer.

Read from the sources, because a compiler leaves out what it inlines.
"""

import collections
import pathlib
import re
from typing import Iterator

from tree import Problem, code, files

DEFINITION = re.compile(r"^static\b(?:\s*__attribute__\(\(.*\)\))?"
                        r"[^;{}=()]*?(\w+)\([^;{}]*\)\s*\{", re.M)

# Names not yet unique: (layer, name).  The list only gets shorter.
YET = {
    ("image", "unpack"),
    ("image", "walk"),
}


def check(root: pathlib.Path) -> Iterator[Problem]:
    homes = collections.defaultdict(list)
    for path in files(root, ".c"):
        name = path.relative_to(root)
        if name.parts[0] in ("src", "cmd"):
            text = "\n".join(code(path.read_text()))
            for match in DEFINITION.finditer(text):
                line = text.count("\n", 0, match.start()) + 1
                homes[name.parts[1], match[1]].append((str(name), line))
    for (layer, name), places in sorted(homes.items()):
        first = places[0][0]
        for path, line in places[1:]:
            # A file may define a function twice under #if.
            if path != first and (layer, name) not in YET:
                yield Problem(path, line, f"{name}() is also in {first}: "
                                          "one name, one function in a layer")
                break
