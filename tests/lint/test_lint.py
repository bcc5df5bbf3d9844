#!/usr/bin/env python3
"""Each rule finds the one thing that breaks it, and nothing in good code."""

import pathlib
import subprocess
import sys
import tempfile
import unittest

import abi
import binaries
import layers
import shape
import statics
import symbols
import words

HERE = pathlib.Path(__file__).parent

GOOD = {
    "README.md": "A path of yours: $HOME/disk.img\n",
    "dev": "#!/bin/sh\nexit 0\n",
    "src/base/error.h": "#include <stdint.h>\nstruct error { int kind; };\n",
    "src/base/error.c": '#include "base/error.h"\n#include <unistd.h>\n'
                        "/* never sprintf() here */\n"
                        'static const char *hint = "exit(1)";\n',
    "src/plan/sizing.c": '#include "base/error.h"\n#include <string.h>\n',
    "src/io/io_queue_uring.c": "#include <liburing.h>\n",
    "src/record/digest.c": "#include <openssl/evp.h>\n#include <xxhash.h>\n",
    "src/source/source.c": '#include "net/conn.h"\n#include "io/io_queue.h"\n'
                         "#include <clonewire/clonewire.h>\n",
    "src/io/io_queue.h": "struct io_queue;\n",
    "src/net/conn.h": "struct conn;\n",
    "include/clonewire/clonewire.h": "#include <stdint.h>\n",
    "cmd/options/option.h": '#include "base/error.h"\n',
    "cmd/clonewire-source/main.c": '#include "clonewire/clonewire.h"\n'
                         '#include "options/option.h"\n'
                         "int main(void)\n{\n    exit(0);\n}\n",
}


def function(lines):
    return "int f(void)\n{\n" + "    g();\n" * (lines - 2) + "}\n"


# rule, file, what is in it, what must be said about it
BAD = [
    (layers, "src/plan/x.c", '#include "io/io_queue.h"\n', "may not include io/"),
    (layers, "src/base/x.c", '#include "net/conn.h"\n',
     "may not include net/"),
    (layers, "src/io/x.c", '#include "source/source.h"\n',
     "may not include source/"),
    (layers, "src/sink/x.c", '#include "image/image.h"\n',
     "may not include image/"),
    (layers, "src/plan/x.c", '#include "clonewire/clonewire.h"\n',
     "may not include clonewire/"),
    (layers, "src/new/x.c", '#include "base/error.h"\n', "not a layer"),
    (layers, "src/io/x.c", '#include "io_queue.h"\n', "named with its layer"),
    (layers, "cmd/clonewire-source/x.c",
     '#include "clonewire-target/options.h"\n',
     "may not include clonewire-target/"),
    (layers, "cmd/clonewire-source/x.c", '#include "source/source.h"\n',
     "may not include source/"),
    (layers, "cmd/options/x.c",
     '#include "clonewire-source/options.h"\n',
     "may not include clonewire-source/"),
    (layers, "src/image/stream/x.c", '#include "image/qcow2/map.h"\n',
     "may not include image/qcow2/"),
    (layers, "src/control/x.c", '#include "transfer/readback.h"\n',
     "may not include transfer/"),
    (layers, "src/http/message.c", "#include <unistd.h>\n", "is pure"),
    (layers, "include/clonewire/x.h", '#include "base/error.h"\n',
     "may not include base/"),
    (layers, "src/io/x.c", "#include <liburing.h>\n", "belongs in"),
    (layers, "src/job/x.c", "#include <openssl/ssl.h>\n", "belongs in"),
    (layers, "cmd/clonewire-source/x.c", "# include <zlib.h>\n", "belongs in"),
    (layers, "src/image/x.c", "#include <curl/curl.h>\n", "no library"),
    (layers, "src/wire/x.c", "#include <unistd.h>\n", "is pure"),
    (layers, "src/plan/x.c", "#include <sys/stat.h>\n", "is pure"),
    (words, "src/base/x.c", "strcpy(a, b);\n", "strcpy("),
    (words, "tests/unit/x.c", "x = atoi(text);\n", "atoi("),
    (words, "src/base/x.c", "/* Whoever calls. */\n", "say which program"),
    (words, "src/job/x.c", "struct task errand;\n", "say task"),
    (words, "cmd/program/x.h", "/* A grain. */\n", "say block"),
    (words, "src/io/x.h", "/* NULL: it is no error. */\n", "say is not"),
    (words, "src/io/x.h", "/* The peer hears it. */\n", "say receive"),
    (words, "src/base/x.c", "p = strtok(text, s);\n", "strtok("),
    (words, "src/base/x.c", "t = localtime(&now);\n", "localtime("),
    (words, "src/base/x.c", "p = alloca(n);\n", "alloca("),
    (words, "cmd/clonewire-source/x.c", "system(command);\n", "system("),
    (words, "src/job/x.c", "exit(1);\n", "exit("),
    (words, "src/job/x.c", 'printf("%d", n);\n', "printf("),
    (words, "src/job/x.c", "fputs(line, stdout);\n", "stdout"),
    (words, "src/io/x.c", 'getenv("HOME");\n', "getenv("),
    (words, "src/wire/x.c", "fwrite(a, 1, n, file);\n", "fwrite("),
    (words, "src/wire/x.h", "struct __attribute__((packed)) x {\n", "packed"),
    (words, "src/base/x.h", "typedef struct { int a; } x;\n", "typedef"),
    (words, "src/base/x.c", "/* TO" "DO: later */\n", "TO" "DO"),
    (words, "docs/x.md", "FIX" "ME\n", "FIX" "ME"),
    (words, "docs/x.md", "see /ho" "me/me/notes\n", "developer's machine"),
    (words, "x.sh", "cd /wo" "rk/repo\n", "developer's machine"),
    (shape, "notes.txt", "", "does not belong at the top"),
    (shape, "src/base/x.c", function(101), "a function of 101 lines"),
    (shape, "src/base/x.c", "int a;\n" * 601, "601 lines"),
    (shape, "tests/x.sh", "true\n" * 601, "601 lines"),
]


class Tree:
    """A small source tree that lasts as long as a with block."""

    def __init__(self, changes):
        self._files = GOOD | changes

    def __enter__(self):
        self._dir = tempfile.TemporaryDirectory()
        root = pathlib.Path(self._dir.name)
        for name, text in self._files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return root

    def __exit__(self, *_):
        self._dir.cleanup()


class Lint(unittest.TestCase):
    def test_good_tree_has_no_problem(self):
        with Tree({"src/base/most.c": function(100)}) as root:
            for rules in (layers, words, shape, statics):
                self.assertEqual(list(rules.check(root)), [])

    def test_each_violation_is_found_alone(self):
        for rules, name, text, want in BAD:
            with self.subTest(rules=rules.__name__, name=name, want=want):
                with Tree({name: text}) as root:
                    problems = list(rules.check(root))
                    self.assertEqual(len(problems), 1, problems)
                    self.assertIn(name, problems[0].path)
                    self.assertIn(want, problems[0].text)

    def test_cycle_of_files(self):
        changes = {
            "src/io/a.h": '#include "io/b.h"\n',
            "src/io/b.h": '#include "io/c.h"\n',
            "src/io/c.h": '#include "io/a.h"\n',
        }
        with Tree(changes) as root:
            problems = list(layers.check(root))
        self.assertEqual(len(problems), 1, problems)
        self.assertIn("io/a.h -> io/b.h -> io/c.h -> io/a.h",
                      problems[0].text)

    def test_static_names(self):
        one = "static int refuse(int a)\n{\n    return a;\n}\n"
        wrapped = "static int\nrefuse(int a,\n       int b)\n{\n}\n"

        def said(changes):
            with Tree(changes) as root:
                return [str(p) for p in statics.check(root)]

        self.assertEqual(said({"src/io/a.c": one, "src/job/a.c": one}), [])
        self.assertEqual(said({"src/io/a.c": one + one}), [])
        self.assertEqual(
            said({"src/io/a.c": one, "src/io/b.c": one.replace("\n{", ";")}),
            [])
        self.assertEqual(
            said({"src/io/a.c": one, "src/io/deep/b.c": "\n" + wrapped}),
            ["src/io/deep/b.c:2: refuse() is also in src/io/a.c: one name, "
             "one function in a layer"])
        self.assertEqual(len(said({"cmd/output/a.c": one,
                                   "cmd/output/b.c": one})), 1)

    def test_calls(self):
        def said(graph):
            return [str(p) for p in symbols.judge(graph)]

        good = {"api/a.c": {"job/b.c": "f", "image/x.c": "i"},
                "job/b.c": {"base/c.c": "g"}, "base/c.c": {},
                "image/qcow2/m.c": {"image/stream/s.c": "s"}}
        self.assertEqual(said(good), [])
        self.assertEqual(said({"base/c.c": {"job/b.c": "f"}}),
                         ["src/base/c.c: may not call f() of job/b.c"])
        self.assertEqual(said({"image/stream/s.c": {"image/qcow2/m.c": "m"}}),
                         ["src/image/stream/s.c: may not call m() of "
                          "image/qcow2/m.c"])
        circle = {"io/a.c": {"io/b.c": "b"}, "io/b.c": {"io/c.c": "c"},
                  "io/c.c": {"io/a.c": "a"}, "io/d.c": {"io/a.c": "a"}}
        self.assertEqual(said(circle), ["src/io/a.c: calls go in a circle: "
                                        "io/a.c, io/b.c, io/c.c"])
        self.assertIn("no objects", said({})[0])

    def test_symbols_of_objects(self):
        source = {"io/a.c": "int b(void);\nint a(void) { return b(); }\n",
                  "wire/b.c": "int b(void) { return 1; }\n"}
        with tempfile.TemporaryDirectory() as directory:
            root = pathlib.Path(directory)
            for name, text in source.items():
                path = root / name
                path.parent.mkdir()
                path.write_text(text)
                subprocess.run(["cc", "-c", path, "-o", f"{path}.o"],
                               check=True)
            problems = [str(p) for p in symbols.check(root)]
        self.assertEqual(problems, ["src/io/a.c: may not call b() of wire/b.c"])

    def test_private_symbol_of_a_library(self):
        with Tree({"include/z.h": "int deflate(void);\n"}) as root:
            problems = [str(p) for p in symbols.judge_foreign(
                {"deflate": "io/a.c", "_tr_init": "io/a.c",
                 "__udivti3": "io/b.c"}, root / "include")]
        self.assertEqual(problems, [
            "src/io/a.c: _tr_init is private to its library: no installed "
            "header declares it"])

    def test_abi(self):
        header = "/* cw_old() */\nint cw_a(void (*f)(int));\nint cw_b(void);\n"
        script = "/* ABI; */ CW { global:\n    cw_a;\n    cw_b;\nlocal:\n    *;\n};"

        def said(*what):
            return [str(p) for p in abi.judge(*what)]

        both = {"cw_a", "cw_b"}
        self.assertEqual(said(header, script, both), [])
        self.assertIn("does not export cw_b", said(header, script, {"cw_a"})[0])
        self.assertIn("exports inflate", said(header, script,
                                              both | {"inflate"})[0])
        self.assertIn("cw_b() of the ABI is gone",
                      said(header.replace("int cw_b(void);", ""), script,
                           both)[0])
        self.assertIn("cw_c() of include", said(header + "int cw_c(int);\n",
                                                script, both)[0])
        with tempfile.TemporaryDirectory() as directory:
            root = pathlib.Path(directory)
            self.assertIn("build it", str(next(abi.check(root))))
            (root / "map").write_text("CW_0 { global: cw_a; local: *; };")
            subprocess.run(["cc", "-shared", "-fPIC", "-x", "c", "-",
                            f"-Wl,--version-script={root}/map", "-o",
                            root / "x.so"], text=True, check=True,
                           input="int cw_a(void){return 1;} int cw_b(void);"
                                 "int cw_b(void) { return 2; }\n")
            self.assertEqual(abi.exported(root / "x.so"), {"cw_a"})

    def test_binaries(self):
        program = ('#include <assert.h>\n#include <stdio.h>\n'
                   '#include <string.h>\nint main(int n, char **v)\n'
                   '{\n    char a[8], b[64];\n    assert(n > 0);\n'
                   '    memcpy(a, v[0], (size_t)n);\n'
                   '    return snprintf(b, 64, "%.8s", a) + puts(b);\n}\n')
        good = ("-O2 -g -pie -fPIE -D_FORTIFY_SOURCE=3 "
                "-fstack-protector-strong -fstack-clash-protection "
                "-ftrivial-auto-var-init=zero -Wl,-z,relro,-z,now")
        if binaries.IS_X86:
            good += " -fcf-protection"
        bad = {
            "": [],
            "-no-pie -fno-pie": ["not position independent (PIE)"],
            "-Wl,-z,norelro": ["no RELRO"],
            "-Wl,-z,lazy": ["lazy binding: RELRO is not full"],
            "-Wl,-z,execstack": ["an executable stack"],
            "-DNDEBUG": ["no assertions: built with NDEBUG"],
            "-fno-stack-protector": ["no stack protector"],
            "-U_FORTIFY_SOURCE": ["no _FORTIFY_SOURCE"],
            "-g0": [],
            "-s": [],
        }
        for flag in binaries.FLAGS:
            bad[f"WITHOUT {flag}"] = [f"built without {flag}"]
        for change, want in bad.items():
            flags = good.split()
            if change.startswith("WITHOUT "):
                flags.remove(change.split()[1])
            else:
                flags += change.split()
            with self.subTest(change=change), \
                    tempfile.TemporaryDirectory() as directory:
                subprocess.run(["cc", *flags, "-x", "c", "-", "-o",
                                f"{directory}/program"], input=program,
                               text=True, check=True)
                said = [p.text for p in
                        binaries.check(pathlib.Path(directory))]
                self.assertEqual(said, want)

    def test_second_room_of_a_vendor(self):
        changes = {
            "src/image/qcow2/libqcow.c": "#include <libqcow.h>\n",
            "src/image/qcow2/read.c": "#include <libqcow.h>\n",
        }
        with Tree(changes) as root:
            problems = list(layers.check(root))
        self.assertEqual(len(problems), 1, problems)
        self.assertIn("more than one room", problems[0].text)

    def test_line_of_a_problem(self):
        text = "/* gets()\n * twice\n */\nint a;\nsprintf(a, b);\n"
        with Tree({"src/base/x.c": text}) as root:
            problems = list(words.check(root))
        self.assertEqual([str(p).split(": ")[0] for p in problems],
                         ["src/base/x.c:5"])

    def test_program_says_and_fails(self):
        with Tree({"src/job/x.c": "exit(1);\n"}) as root:
            bad = self._run(HERE / "lint", "words", root)
            good = self._run(HERE / "lint", "layers", root)
        self.assertEqual((bad.returncode, good.returncode), (1, 0))
        self.assertIn("src/job/x.c:1: exit(", bad.stdout)

    def test_header_that_needs_another(self):
        changes = {"src/base/x.h": "uint8_t x_first(struct error *err);\n"}
        with Tree(changes) as root:
            done = self._run(HERE / "headers", root, "cc")
        self.assertEqual(done.returncode, 1)
        self.assertIn("src/base/x.h: does not compile alone", done.stdout)
        with Tree({}) as root:
            done = self._run(HERE / "headers", root, "cc")
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_format(self):
        style = (HERE.parents[1] / ".clang-format").read_text()
        changes = {".clang-format": style, "src/base/x.c": "int  a;\n"}
        with Tree(changes) as root:
            done = self._run(HERE / "format", root)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("x.c:1", done.stderr)

    def test_shell(self):
        with Tree({".ci/run": "#!/bin/bash\nrm -r $1/*\n"}) as root:
            done = self._run(HERE / "shell", root)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("SC2086", done.stdout)

    @staticmethod
    def _run(*command):
        return subprocess.run([str(c) for c in command], text=True,
                              capture_output=True, check=False)


if __name__ == "__main__":
    sys.exit(unittest.main())
