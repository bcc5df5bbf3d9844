"""What may not be written: risky calls, notes to self, this machine."""

import pathlib
import re
from typing import Iterator

from tree import Problem, code, files, texts


def _call(*names):
    return re.compile(r"(?<![\w.>])(" + "|".join(names) + r")\s*\(")


# In all C code: pattern, what to do instead.
EVERYWHERE = (
    (_call("strcpy", "strcat", "stpcpy", "sprintf", "vsprintf", "gets"),
     "knows no bound: use snprintf"),
    (_call("atoi", "atol", "atoll", "atof"),
     "cannot fail: use base/parse.h"),
    (_call("strtok"), "keeps hidden state: use strcspn"),
    (_call("localtime", "gmtime", "ctime", "asctime", "gethostbyname",
           "getpwnam", "getpwuid", "inet_ntoa", "ttyname", "rand"),
     "one result for all threads: use the _r() form"),
    (_call("mktemp", "tmpnam", "tempnam"), "races: use mkstemp or O_TMPFILE"),
    (_call("alloca", "__builtin_alloca"), "unbounded stack: use malloc"),
    (_call("setjmp", "longjmp", "sigsetjmp", "siglongjmp"),
     "jumps over cleanup"),
    (re.compile(r"__attribute__\s*\(\(.*\bpacked\b"),
     "packed overlay: encode with base/bytes.h"),
    (re.compile(r"\btypedef\s+(struct|union|enum)\b"), "say struct x"),
)

# In what ships; a test may start the programs it needs.
SHIPPED = (
    (_call("system", "popen"), "starts a shell"),
)

# A library neither ends the process nor talks to its terminal.
BELOW_CMD = (
    (_call("exit", "_exit", "_Exit", "quick_exit"), "only main() ends us"),
    (_call("printf", "vprintf", "puts", "putchar", "perror"),
     "only cmd/ prints: use base/log.h"),
    (re.compile(r"\b(stdout|stdin)\b"), "only cmd/ owns the terminal"),
    (_call("getenv", "secure_getenv"), "only cmd/ reads the environment"),
    (_call("signal", "sigaction"), "only cmd/ owns the signals"),
)

PURE_LAYERS = ("plan", "wire")
PURE = (
    (_call("fopen", "fread", "fwrite", "fprintf", "fputs", "rand", "random"),
     "this layer is pure"),
)

# Spelled so that this file does not find itself.  In CDI's image the cloner
# has a directory of its own.
NOTES = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b")
MACHINE = re.compile(r"(?<![\w.$}])/(wo" r"rk|ho" r"me(?!/cdi-cloner)|ro" r"ot)/"
                     r"[\w.]")


# One word for one thing, in code and comments: pattern, the wanted word.
VOCABULARY = (
    (re.compile(r"\b(whoever|nobody|somebody|anybody)\b", re.I),
     "say which program or person"),
    (re.compile(r"\banew\b", re.I), "say again, or from the beginning"),
    (re.compile(r"\bbeneath\b", re.I), "say below"),
    (re.compile(r"\btold\b", re.I), "say announced, reported or received"),
    (re.compile(r"\bhear(s|d)?\b", re.I), "say receive"),
    (re.compile(r"\berrands?\b", re.I), "say task"),
    (re.compile(r"\bkeeper\b", re.I), "say checkpointer"),
    (re.compile(r"\bgrains?\b", re.I), "say block (4 KiB)"),
    (re.compile(r"\bstow\w*\b", re.I), "say store"),
    (re.compile(r"\bdoor\b", re.I), "say listener"),
    (re.compile(r"\bchat\b", re.I), "say conversation"),
    (re.compile(r"(?<!here )\bis no (?!longer\b|more\b|less\b)[a-z]"),
     "say is not a"),
    (re.compile(r"\b(goes|went) on\b", re.I), "say continues"),
    (re.compile(r"\b(stands|stood) still\b", re.I), "say stalls"),
    (re.compile(r"\b(gives|gave) back\b", re.I), "say returns"),
    (re.compile(r"\bat the (most|least)\b", re.I), "say at most"),
)

# A word of the field, in the folder that is about its meaning there.
FIELD_WORDS = {"src/image/vmdk": "grain"}


def check(root: pathlib.Path) -> Iterator[Problem]:
    for path in files(root, ".c", ".h"):
        name = path.relative_to(root)
        rules = _rules(name)
        for number, line in enumerate(code(path.read_text()), 1):
            for pattern, instead in rules:
                match = pattern.search(line)
                if match:
                    yield Problem(str(name), number,
                                  f"{match[0].strip()}: {instead}")
        yield from _vocabulary(name, path.read_text())
    for path, text in texts(root):
        for number, line in enumerate(text.split("\n"), 1):
            for pattern, why in ((NOTES, "finish it or open an issue"),
                                 (MACHINE, "a path of a developer's machine")):
                match = pattern.search(line)
                if match:
                    yield Problem(str(path.relative_to(root)), number,
                                  f"{match[0]}: {why}")


def _vocabulary(name, text):
    if name.parts[0] not in ("src", "cmd", "include"):
        return
    for number, line in enumerate(text.split("\n"), 1):
        for pattern, wanted in VOCABULARY:
            match = pattern.search(line)
            allowed = FIELD_WORDS.get(str(name.parent))
            if match and match[0].lower().rstrip("s") != allowed:
                yield Problem(str(name), number, f"{match[0]}: {wanted}")


def _rules(name):
    rules = EVERYWHERE
    if name.parts[0] in ("src", "cmd"):
        rules += SHIPPED
    if name.parts[0] == "src":
        rules += BELOW_CMD
        if name.parts[1] in PURE_LAYERS:
            rules += PURE
    return rules
