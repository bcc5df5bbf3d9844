"""Can the harness be believed?  Each test is a way it could lie."""

import contextlib
import copy
import io
import os
import subprocess
import sys
import tempfile
import types
import unittest
import xml.etree.ElementTree

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))

from lib import (cdi, chart, check, cli, datasets, groups, limits,  # noqa: E402
                 markdown, measure, regress, report, scenarios, stats, units)
from lib.measure import Failed, Plan, Stage, Tools  # noqa: E402
from lib.units import GIB, MIB  # noqa: E402

SIZE = 8 * MIB
LAUNCHER = os.environ.get("BENCH_LAUNCHER")


class InDirectory(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory(prefix="clonewire-bench-")
        self.addCleanup(temporary.cleanup)
        self.directory = temporary.name

    def file(self, name, pieces=(), size=SIZE):
        """A sparse file with bytes at offsets."""
        path = os.path.join(self.directory, name)
        with open(path, "wb") as file:
            file.truncate(size)
            for offset, data in pieces:
                os.pwrite(file.fileno(), data, offset)
        return path


class Wire(InDirectory):
    head = ("Inter-|   Receive                |  Transmit\n"
            " face |bytes packets errs drop |bytes packets errs drop\n")

    def bytes_of(self, *lines):
        with open(os.path.join(self.directory, "dev"), "w",
                  encoding="ascii") as file:
            file.write(self.head + "".join(lines))
        return measure.wire_bytes(self.directory)

    def test_loopback_counts_once(self):
        self.assertEqual(self.bytes_of(
            "    lo: 1000 1 0 0 0 0 0 0 1000 1 0 0 0 0 0 0\n"), 1000)

    def test_a_link_counts_both_ways(self):
        self.assertEqual(self.bytes_of(
            "    lo: 7 1 0 0 0 0 0 0 7 1 0 0 0 0 0 0\n",
            " link0: 1000 1 0 0 0 0 0 0 20 1 0 0 0 0 0 0\n"), 1020)


class Checking(InDirectory):
    data = [(0, b"begin"), (3 * MIB, b"middle" * 1000), (SIZE - 4, b"end.")]

    def differs(self, pieces, size=SIZE):
        truth = self.file("truth", self.data)
        return check.difference(truth, self.file("copy", pieces, size), SIZE)

    def test_equal(self):
        self.assertIsNone(self.differs(self.data))

    def test_equal_though_zeros_are_written(self):
        zeros = [(MIB, bytes(MIB)), (5 * MIB, bytes(4096))]
        self.assertIsNone(self.differs([*self.data, *zeros]))

    def test_one_bit_in_data(self):
        self.assertIn("differs", self.differs(
            [*self.data, (3 * MIB + 100, b"M")]))

    def test_stray_byte_where_the_disk_has_a_hole(self):
        self.assertIn("differs", self.differs([*self.data, (6 * MIB, b"x")]))

    def test_data_missing(self):
        self.assertIn("differs", self.differs(self.data[:2]))

    def test_last_byte(self):
        self.assertIn("differs", self.differs([*self.data,
                                               (SIZE - 1, b"!")]))

    def test_short(self):
        self.assertIn("of", self.differs(self.data[:2], SIZE - 4096))

    def test_allocation(self):
        path = self.file("sparse", [(0, b"x" * MIB)])
        self.assertLess(check.allocated(path), 2 * MIB)
        self.assertGreaterEqual(check.allocated(path), MIB)


class Measuring(InDirectory):
    def run_plan(self, plan, timeout_s=20.0):
        return measure.execute(plan, lambda: None,
                               Tools(LAUNCHER, self.directory), timeout_s)

    @staticmethod
    def shell(script, side="source", **options):
        return Stage(side, [["sh", "-c", script]], **options)

    def test_wall_spans_the_client(self):
        sample = self.run_plan(Plan([self.shell("sleep 0.3")]))
        self.assertGreaterEqual(sample.wall_s, 0.3)
        self.assertLess(sample.cpu_s["source"], 0.2)

    def test_cpu_goes_to_its_side_children_included(self):
        burn = self.shell("sh -c 'i=0; while [ $i -lt 300000 ]; do "
                          "i=$((i+1)); done'; true", "target")
        sample = self.run_plan(Plan([burn]))
        self.assertGreater(sample.cpu_s["target"], 0.05)
        self.assertEqual(sample.cpu_s["source"], 0)

    @unittest.skipUnless(LAUNCHER, "needs bench-launch")
    def test_small_process_looks_small(self):
        sample = self.run_plan(Plan([self.shell("true")]))
        self.assertLess(sample.rss_bytes["source"], 6 * MIB)

    def test_large_process_looks_large(self):
        large = Stage("source", [[sys.executable, "-c", "bytes(1) * 10**8"]])
        sample = self.run_plan(Plan([large]))
        self.assertGreater(sample.rss_bytes["source"], 90 * MIB)

    def test_failure_is_told_with_its_words(self):
        with self.assertRaisesRegex(Failed, "status 3.*no such disk"):
            self.run_plan(Plan([self.shell("echo no such disk; exit 3")]))

    def test_failure_in_the_middle_of_a_pipe(self):
        pipe = Stage("source", [["sh", "-c", "exit 4"], ["cat"]])
        with self.assertRaisesRegex(Failed, "status 4"):
            self.run_plan(Plan([pipe]))

    def test_missing_program(self):
        with self.assertRaises(Failed):
            self.run_plan(Plan([Stage("source", [["/no/such/program"]])]))

    def test_server_that_ends_too_soon(self):
        server = self.shell("exit 0", "target", port=1)
        with self.assertRaisesRegex(Failed, "before it listened"):
            self.run_plan(Plan([self.shell("true")], [server]))

    def test_nothing_is_left_running(self):
        mark = os.path.join(self.directory, "pid")
        client = self.shell(f"echo $$ > {mark}; exec sleep 60")
        with self.assertRaisesRegex(Failed, "ran out of time"):
            self.run_plan(Plan([client]), timeout_s=0.5)
        with open(mark, encoding="ascii") as file:
            self.assertFalse(os.path.exists(f"/proc/{file.read().strip()}"))


class ControlGroups(InDirectory):
    """In a directory that looks like the hierarchies."""

    def hierarchy(self, **files):
        for name, text in files.items():
            path = os.path.join(self.directory, name.replace("__", "/"))
            path = path.replace("_procs", ".procs").replace("_sub", ".sub")
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="ascii") as file:
                file.write(text)

    def v1(self):
        self.hierarchy(cpu__cgroup_procs="", memory__cgroup_procs="")

    def written(self):
        found = {}
        for directory, _, names in os.walk(self.directory):
            for name in names:
                path = os.path.join(directory, name)
                with open(path, encoding="ascii") as file:
                    short = os.path.relpath(path, self.directory).replace(
                        f".{os.getpid()}.", ".PID.")
                    found[short] = file.read()
        return found

    def test_v1_has_a_directory_for_each_controller(self):
        self.v1()
        groups.Group("x", groups.Limits(750), self.directory)
        group = "clonewire-bench.PID.x"
        self.assertEqual(self.written(), {
            "cpu/cgroup.procs": "", "memory/cgroup.procs": "",
            f"cpu/{group}/cpu.cfs_period_us": "100000",
            f"cpu/{group}/cpu.cfs_quota_us": "75000",
            f"memory/{group}/memory.limit_in_bytes": str(600 * MIB)})

    def test_v2_has_one(self):
        self.hierarchy(cgroup_subtree_control="cpu io memory\n")
        groups.Group("x", groups.Limits(250, GIB), self.directory)
        group = "clonewire-bench.PID.x"
        found = self.written()
        self.assertEqual(found[f"{group}/cpu.max"], "25000 100000")
        self.assertEqual(found[f"{group}/memory.max"], str(GIB))

    def test_without_them_the_reason_is_told(self):
        with self.assertRaisesRegex(datasets.Unavailable, "cpu and memory"):
            groups.Group("x", None, self.directory)

    def test_a_command_enters_all_and_keeps_its_arguments(self):
        self.v1()
        group = groups.Group("x", None, self.directory)
        done = subprocess.run(group.enter(["printf", "%s|", "a b", "c"]),
                              capture_output=True, text=True, check=True)
        self.assertEqual(done.stdout, "a b|c|")
        entered = [text for name, text in self.written().items()
                   if "PID" in name]
        self.assertEqual(entered, ["0\n", "0\n"])

    def test_what_a_killed_run_left_is_removed(self):
        self.v1()
        old = os.path.join(self.directory, "cpu", "clonewire-bench.4194305.x")
        os.mkdir(old)
        group = groups.Group("x", None, self.directory)
        self.assertFalse(os.path.exists(old))
        group.close()
        self.assertEqual(os.listdir(os.path.join(self.directory, "cpu")),
                         ["cgroup.procs"])


class Listing(unittest.TestCase):
    def listed(self):
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            self.assertEqual(cli.main(["--list"]), 0)
        return said.getvalue()

    def test_whoever_a_scenario_names_is_there(self):
        names = {line.split()[0] for line in
                 self.listed().partition("contestants:")[2].splitlines()[1:]}
        for scenario in scenarios.SCENARIOS:
            self.assertLessEqual(set(scenario.contestants), names)

    def test_cdi_has_its_scenarios(self):
        chosen = scenarios.choose(["cdi-http*"])
        self.assertEqual([s.name for s in chosen],
                         ["cdi-http", "cdi-http-zeros", "cdi-http-file",
                          "cdi-http-file-zeros"])
        for scenario in chosen:
            self.assertIn(f"  {scenario.name} ", self.listed())
            self.assertEqual(scenario.contestants,
                             ("clonewire", "cdi-http", "standin"))


class Cdi(InDirectory):
    def case(self, **more):
        def path(name):
            return self.file(name, [(0, name.encode("ascii"))], len(name))

        tls = types.SimpleNamespace(
            directory=self.directory, ca=path("ca"),
            server_cert=path("server-cert"), server_key=path("server-key"),
            client_cert=path("client-cert"), client_key=path("client-key"))
        return types.SimpleNamespace(**{
            "tls": tls, "link": None, "host": "127.0.0.1",
            "source": "/disk", "destination": "/copy",
            "dataset": types.SimpleNamespace(format="raw"),
            "ports": types.SimpleNamespace(take=lambda: 1234), **more})

    def test_both_ends_are_told_what_cdi_tells_them(self):
        plan = cdi.CdiHttp("/build").plan(self.case())
        source, target = plan.clients[0], plan.servers[0]
        self.assertEqual(source.pipe, [["/build/cmd/cdi-cloner"]])
        self.assertEqual(source.environment["UPLOAD_URL"],
                         "https://127.0.0.1:1234/v1beta1/upload")
        self.assertEqual(source.environment["CLIENT_KEY"], "client-key")
        self.assertEqual(source.environment["CLONEWIRE_HTTP_ONLY"], "true")
        self.assertEqual(target.environment["DESTINATION"], "/copy")
        self.assertEqual((target.port, target.environment["LISTEN_PORT"]),
                         (1234, "1234"))

    def test_what_is_not_built_is_missing(self):
        self.assertIn("is not built",
                      cdi.CdiHttp(self.directory).missing())

    def test_without_go_the_reason_is_told(self):
        standin = cdi.Standin(self.directory)
        standin.programs = ("no-such-go",)
        self.assertRegex(standin.missing(),
                         "no-such-go not installed .*golang-go")

    def test_only_a_raw_disk_on_this_machine(self):
        qcow2 = self.case(dataset=types.SimpleNamespace(format="qcow2"))
        for contestant in (cdi.CdiHttp("/build"), cdi.Standin("/build")):
            self.assertIsNone(contestant.refuses(self.case()))
            self.assertIsNotNone(contestant.refuses(qcow2))
            self.assertIsNotNone(contestant.refuses(self.case(link="link")))

    def test_a_tenth_of_the_zeros_is_data(self):
        store = datasets.Store(self.directory, 20 * MIB, lambda _: None)
        try:
            disk = store.get("zeros")
        except datasets.Unavailable as reason:
            self.skipTest(str(reason))
        with open(disk.path, "rb") as file:
            filled = [any(file.read(MIB)) for _ in range(20)]
        self.assertEqual((len(filled), sum(filled)), (20, 2))


class Statistics(unittest.TestCase):
    def test_ratio_above_one_is_faster(self):
        self.assertEqual(stats.paired_ratios([2.0, 3.0], [1.0, 3.0]),
                         [2.0, 1.0])

    def test_one_wild_round_is_not_noise(self):
        self.assertLess(stats.relative_noise([1.0, 1.01, 1.0, 0.99, 9.0]),
                        0.02)

    def test_separated_samples_are_improbable(self):
        p_value = stats.rank_p_value([1, 2, 3, 4, 5], [6, 7, 8, 9, 10])
        self.assertAlmostEqual(p_value, 2 / 252)

    def test_mixed_samples_are_probable(self):
        self.assertGreater(stats.rank_p_value([1, 3, 5, 7], [2, 4, 6, 8]),
                           0.5)

    def test_three_rounds_prove_nothing(self):
        self.assertGreater(stats.rank_p_value([1, 2, 3], [4, 5, 6]), 0.05)

    def test_sizes(self):
        self.assertEqual(units.parse_size("2GiB"), 2 * GIB)
        self.assertEqual(units.parse_size("1.5M"), MIB * 3 // 2)
        self.assertRaises(ValueError, units.parse_size, "2 apples")


def row(name, kind, walls):
    samples = [{"wall_s": w, "cpu_s": {"source": w / 2, "target": w / 2}}
               for w in walls]
    return {"name": name, "kind": kind, "failed": None, "samples": samples,
            "rss_source_bytes": 20 * MIB, "rss_target_bytes": 20 * MIB,
            "wire_bytes": GIB, "allocated_bytes": GIB}


def record(walls, peer_walls):
    return {"format": 1, "options": {"size": GIB}, "machine": {},
            "versions": {}, "revision": "x",
            "micro": {"m": {"instructions": 1000}},
            "scenarios": [{"scenario": "s", "reference": "peer", "rows": [
                row("clonewire", "clonewire", walls),
                row("peer", "peer", peer_walls)]}]}


class Regression(unittest.TestCase):
    steady = [1.0, 1.01, 0.99, 1.0, 1.02]
    peer = [2.0, 2.02, 1.98, 2.0, 2.04]

    def verdicts(self, new):
        return {v.what: v.verdict for v in regress.compare(
            record(self.steady, self.peer), new)}

    def test_itself(self):
        found = self.verdicts(record(self.steady, self.peer))
        self.assertEqual(set(found.values()), {regress.SAME})

    def test_slower(self):
        found = self.verdicts(record([1.2 * w for w in self.steady],
                                     self.peer))
        self.assertEqual(found["s/clonewire wall / peer"], regress.WORSE)

    def test_faster(self):
        found = self.verdicts(record([0.8 * w for w in self.steady],
                                     self.peer))
        self.assertEqual(found["s/clonewire wall / peer"], regress.BETTER)

    def test_a_slow_day_is_not_a_slower_program(self):
        found = self.verdicts(record([1.5 * w for w in self.steady],
                                     [1.5 * w for w in self.peer]))
        self.assertEqual(found["s/clonewire wall / peer"], regress.SAME)

    def test_noise_is_unclear(self):
        found = self.verdicts(record([0.8, 1.6, 1.1, 0.9, 1.5], self.peer))
        self.assertEqual(found["s/clonewire wall / peer"], regress.UNCLEAR)

    def test_memory(self):
        new = record(self.steady, self.peer)
        new["scenarios"][0]["rows"][0]["rss_target_bytes"] = 30 * MIB
        self.assertEqual(self.verdicts(new)["s/clonewire rss_target MiB"],
                         regress.WORSE)

    def test_instructions(self):
        new = record(self.steady, self.peer)
        new["micro"]["m"]["instructions"] = 1030
        self.assertEqual(self.verdicts(new)["m instructions"], regress.WORSE)

    def test_a_row_that_fails_now(self):
        new = copy.deepcopy(record(self.steady, self.peer))
        new["scenarios"][0]["rows"][0].update(samples=[], failed="crashed")
        self.assertEqual(self.verdicts(new)["s/clonewire"], regress.WORSE)

    def test_other_sizes_are_refused(self):
        new = record(self.steady, self.peer)
        new["options"]["size"] = MIB
        self.assertRaises(regress.Incomparable, self.verdicts, new)


def full_row(name, kind, walls, **more):
    return {**row(name, kind, walls), "wall_s": stats.median(walls),
            "wall_spread_s": stats.spread(walls), "cpu_source_s": 0.5,
            "cpu_target_s": 0.25, "about": "", **more}


def full_record():
    figures = {
        "scenario": "s", "about": "a disk", "data_bytes": GIB,
        "virtual_bytes": 8 * GIB, "is_read_whole": True,
        "others_cpus": 0.1,
        "reference": "slow",
        "bound": {"wall_s": 4.0, "by": "disk read",
                  "bytes_per_s": {"read": 2 * GIB}},
        "rows": [full_row("clonewire", "clonewire", [5.0, 5.0, 5.0],
                          share_of_bound=0.8),
                 full_row("slow", "peer", [9.0, 9.0, 9.0], ratio=1.0),
                 full_row("best", "peer", [7.5, 7.5, 8.0]),
                 full_row("plain-tcp", "limit", [4.5, 4.5, 4.5]),
                 {"name": "gone", "kind": "peer", "failed": "crashed",
                  "samples": []}]}
    return {"format": 1, "options": {"rounds": 3}, "revision": "abc",
            "machine": {"cpus": 2, "kernel": "6.1", "data_filesystem":
                        "ext4"}, "scenarios": [figures],
            "micro": {"m.x": {"ns": 10.0, "gb_per_s": 0.0,
                              "instructions": 40.0}}}


@unittest.skipIf(chart.missing(), chart.missing())
class Drawing(InDirectory):
    def draw(self, record):
        path = os.path.join(self.directory, 'a "quoted" name.svg')
        if not chart.draw(record, record["scenarios"][0], path):
            return None
        return xml.etree.ElementTree.parse(path).getroot()

    def texts(self, record):
        return ["".join(e.itertext()).strip() for e in self.draw(record).iter(
            "{http://www.w3.org/2000/svg}text")]

    def test_everyone_measured_has_a_bar_with_its_number(self):
        texts = self.texts(full_record())
        for name in ["clonewire", "slow", "best", "plain-tcp"]:
            self.assertIn(name, texts)
        self.assertIn("7.500", texts)
        self.assertNotIn("gone", texts)
        self.assertIn("limit: disk read", texts)
        self.assertIn("s: a disk", texts)

    def test_text_is_text(self):
        record = full_record()
        record["scenarios"][0]["about"] = 'a_b {c} "d" \\ <e> & $rows'
        self.assertIn('s: a_b {c} "d" \\ <e> & $rows', self.texts(record))

    def test_without_a_bound_there_is_no_limit(self):
        record = full_record()
        record["scenarios"][0]["bound"] = None
        self.assertNotIn("limit", " ".join(self.texts(record)))

    def test_nothing_measured_is_no_chart(self):
        record = full_record()
        record["scenarios"][0]["rows"] = record["scenarios"][0]["rows"][-1:]
        self.assertIsNone(self.draw(record))


class Telling(unittest.TestCase):
    text = ("before\n<!-- bench: s -->\nold\n<!-- /bench -->\nbetween\n"
            "<!-- bench: other -->\nkept\n<!-- /bench -->\n")

    def test_verdict_is_against_the_best_and_the_limits(self):
        lines = report.verdict(full_record()["scenarios"][0])
        self.assertEqual(len(lines), 3)
        self.assertIn("1.50 x", lines[0])
        self.assertIn("the best peer (best)", lines[0])
        self.assertIn("0.90 x", lines[1])
        self.assertIn("plain TCP copy", lines[1])
        self.assertIn("1.60 GiB/s, 80 % of what fio gets", lines[2])

    def test_neighbours_are_owned_up_to(self):
        record = full_record()
        self.assertNotIn("not alone", str(markdown.tables(record)))
        record["scenarios"][0]["others_cpus"] = 0.5
        self.assertIn("(!) not alone: others kept 0.5 CPUs",
                      str(markdown.tables(record)))

    def test_markdown_is_a_table(self):
        lines = markdown.tables(full_record())["s"]
        table = [line for line in lines if line.startswith("|")]
        self.assertEqual(len(table), 2 + 5)
        self.assertEqual({line.count("|") for line in table[:6]},
                         {table[0].count("|")})
        self.assertIn("| `clonewire` | 5.000 (5.000–5.000) |", table[2])
        self.assertIn("80 %", table[2])
        self.assertIn("crashed", table[-1])

    def test_markdown_fills_its_places_alone(self):
        text, filled, left = markdown.fill(self.text,
                                           markdown.tables(full_record()))
        self.assertEqual((filled, left), (["s"], ["other"]))
        self.assertNotIn("old", text)
        self.assertIn("`best`", text)
        self.assertIn("between\n<!-- bench: other -->\nkept\n", text)
        self.assertEqual(markdown.fill(text, markdown.tables(
            full_record()))[0], text)

    def test_every_scenario_has_its_place_in_the_docs(self):
        docs = os.path.join(os.path.dirname(__file__), "..", "..", "docs",
                            "performance.md")
        with open(docs, encoding="utf-8") as file:
            _, _, places = markdown.fill(file.read(), {})
        self.assertEqual(sorted(places), sorted(
            [s.name for s in scenarios.SCENARIOS] + ["micro"]))

    def test_bound_is_the_slowest_of_what_is_in_the_way(self):
        case = type("Case", (), {
            "source": "/dev/loop7", "virtual_bytes": 8 * GIB,
            "dataset": type("D", (), {"data_bytes": GIB}),
            "target": type("T", (), {"is_block": False})})
        found = limits.bound(case, [], {"aes": GIB, "read": 2 * GIB,
                                        "write": GIB})
        self.assertEqual((found["wall_s"], found["by"]), (4.0, "disk read"))
        self.assertEqual(found["wall_openssl_s"], 4.0)

    def test_bound_counts_the_fastest_cipher_and_openssl_s_own(self):
        case = type("Case", (), {
            "source": "/dev/loop7", "virtual_bytes": GIB,
            "dataset": type("D", (), {"data_bytes": GIB}),
            "target": type("T", (), {"is_block": False})})
        plain = type("S", (), {"wall_s": 0.1, "kernel_cpu_s": 0.0,
                               "cpu_s": {"source": 1.0, "target": 1.0}})
        found = limits.bound(case, [plain], {"aes": 4 * GIB,
                                             "aes_openssl": GIB})
        cores = len(os.sched_getaffinity(0))
        self.assertAlmostEqual(found["wall_s"], 2.5 / cores)
        self.assertAlmostEqual(found["wall_openssl_s"], 4.0 / cores)

    def test_share_is_told_of_both_ciphers(self):
        figures = full_record()["scenarios"][0]
        figures["bound"] = {"wall_s": 2.0, "wall_openssl_s": 4.0, "by": "CPU",
                            "bytes_per_s": {"aes": 4 * GIB,
                                            "aes_openssl": GIB}}
        told = [line for line in report.verdict(figures)
                if "has 40 % of the bound" in line]
        self.assertEqual(len(told), 1)
        self.assertIn("80 % of that with OpenSSL's own (1.0 GiB/s)", told[0])


if __name__ == "__main__":
    unittest.main()
