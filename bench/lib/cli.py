"""The command line of bench/run."""

import argparse
import contextlib
import datetime
import fcntl
import fnmatch
import json
import os
import shutil
import sys
import time

from . import (cdi, chart, clonewire, isolate, limits, machine, measure, micro,
               nbd, pipes, report, resumed, scenarios, targets, tls)
from .case import Ports
from .contestant import KIND_CLONEWIRE, KIND_LIMIT
from .datasets import Store, Unavailable
from .rounds import Rounds
from .units import format_size, parse_size

_ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
MICRO = "micro"
_MEMORY_PREFIX = "clonewire-bench."
_AES128_ONLY = """\
[overrides]
tls-disabled-cipher = aes-256-gcm
tls-disabled-cipher = chacha20-poly1305
tls-disabled-cipher = aes-256-ccm
tls-disabled-cipher = aes-128-ccm
"""


def main(arguments=None):
    options = _parse(arguments)
    try:
        wants_micro = bool({MICRO, "all"} & set(options.scenario))
        named = [n for n in options.scenario if n != MICRO]
        chosen = ([] if wants_micro and not named
                  else scenarios.choose(named))
        contestants = _contestants(options)
    except ValueError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    if options.list:
        _list(contestants)
        return 0
    return isolate.in_own_session(
        lambda: _Bench(options, contestants).run(chosen, wants_micro))


def _parse(arguments):
    parser = argparse.ArgumentParser(
        prog="bench/run", formatter_class=argparse.RawTextHelpFormatter,
        description="Runs clonewire and its peers on the same work, "
        "interleaved, flush included,\nbytes checked, and says how they "
        "compare.  See bench/README.md.")
    add = parser.add_argument
    add("scenario", nargs="*", metavar="SCENARIO",
        help="names or patterns (see --list), \"all\"; default: the main "
        "ones")
    add("--list", action="store_true",
        help="what there is: scenarios and contestants")
    add("--rounds", type=int, default=5, metavar="N",
        help="timed rounds of each scenario (5)")
    add("--warmup", type=int, default=1, metavar="N",
        help="rounds before them that do not count (1)")
    add("--size", type=parse_size, default="2GiB", metavar="BYTES",
        help="of the dense disk; the others scale with it (2GiB)")
    add("--peer", action="append", default=[], metavar="NAME",
        help="only these contestants besides clonewire: names or patterns,\n"
        "separated by commas; \"none\" for none.  Slow ones run only if "
        "named")
    add("--variant", action="append", default=[], metavar="NAME=OPTIONS",
        help="one more clonewire row, with OPTIONS at both ends")
    add("--against", action="append", default=[], metavar="NAME=BUILD",
        help="one more clonewire row, from another build: old against new,\n"
        "in the same rounds")
    add("--json", metavar="FILE",
        help="where the record goes (bench/results/TIME.json)")
    add("--build", metavar="DIR", default=os.path.join(_ROOT, "build",
                                                       "release"),
        help="the build that is measured (build/release)")
    add("--dir", metavar="DIR", default=os.path.join(_ROOT, "build",
                                                     "bench"),
        help="data sets and targets, on the disk to be measured "
        "(build/bench)")
    options = parser.parse_args(arguments)
    if options.rounds < 1 or options.warmup < 0:
        parser.error("--rounds wants 1 or more, --warmup 0 or more")
    if options.size < 1 << 20 or options.size % (1 << 20):
        parser.error("--size wants whole MiB")
    return options


def _contestants(options):
    return [*clonewire.contestants(options.build, options.variant,
                                   options.against),
            *resumed.contestants(options.build), *nbd.peers(), *pipes.peers(),
            cdi.CdiHttp(options.build), cdi.Standin(options.build),
            limits.PlainTcp(options.build), limits.Iperf(1), limits.Iperf(4)]


def _list(contestants):
    print("scenarios (* = run by default):")
    for scenario in scenarios.SCENARIOS:
        less = (f" [at most {format_size(scenario.at_most)}]"
                if scenario.at_most else "")
        print(f"  {'*' if scenario.is_main else ' '} {scenario.name:17} "
              f"{scenario.about}{less}")
        print(f"      {' '.join(scenario.contestants)}")
    print(f"    {MICRO:17} ring, zero scan, codec, digest, TLS, unpacking; "
          "instruction counts")
    print("contestants:")
    for contestant in contestants:
        missing = contestant.missing()
        note = f"  [{missing}]" if missing else ""
        slow = "  [slow: only when named]" if contestant.slow else ""
        print(f"    {contestant.name:22} {contestant.about}{slow}{note}")


class _Bench:
    def __init__(self, options, contestants):
        self._options = options
        self._contestants = contestants
        self._skipped = []
        self._wanted = [n for text in options.peer for n in text.split(",")]

    def run(self, chosen, wants_micro):
        with contextlib.ExitStack() as stack:
            os.makedirs(self._options.dir, exist_ok=True)
            stack.enter_context(_only_one(self._options.dir))
            own_network, network = isolate.own_network()
            isolation = [isolate.raise_priority(), network]
            memory = stack.enter_context(_memory_directory())
            record = self._head(isolation)
            terms = self._terms(own_network)
            limit = limits.Limits(self._options.dir, self._options.build)
            for scenario in chosen:
                figures = self._scenario(scenario, memory, terms, limit)
                if figures:
                    record["scenarios"].append(figures)
            if wants_micro:
                record["micro"] = self._micro(terms)
            return self._finish(record)

    def _micro(self, terms):
        results, skipped = micro.run(self._options.build, terms["tls"], _say)
        for what, why in skipped:
            self._skip(what, why)
        print("\n".join(micro.table(results)), flush=True)
        return results

    def _head(self, isolation):
        options = self._options
        facts = machine.describe(options.dir)
        record = {
            "format": 1, "machine": facts, "isolation": isolation,
            "revision": machine.source_revision(_ROOT),
            "versions": machine.versions(
                [c for c in self._contestants if not c.missing()]),
            "options": {"rounds": options.rounds, "warmup": options.warmup,
                        "size": options.size, "peer": options.peer,
                        "variant": options.variant,
                        "against": options.against},
            "scenarios": [], "skipped": self._skipped}
        print(f"{facts['cpus']} x {facts['cpu']}, {facts['memory']}, Linux "
              f"{facts['kernel']}, {facts['data_filesystem']}, load "
              f"{facts['load']:.2f}, clonewire {record['revision']}")
        print("; ".join(isolation))
        return record

    def _terms(self, own_network):
        priorities = os.path.join(self._options.dir, "gnutls-aes128")
        with open(priorities, "w", encoding="ascii") as file:
            file.write(_AES128_ONLY)
        return {"tls": tls.Tls(os.path.join(self._options.dir, "tls")),
                "ports": Ports(own_network), "gnutls_aes128": priorities}

    def _scenario(self, scenario, memory, terms, limit):
        """Figures of one scenario; None when it cannot run here."""
        _say(f"{scenario.name}: {scenario.about}")
        begin = time.monotonic()
        size = min(self._options.size, scenario.at_most or sys.maxsize)
        store = Store(self._options.dir, size, _say)
        try:
            with scenarios.Stage(scenario, store, memory, terms,
                                 self._options.build) as case:
                figures = self._measure(scenario, case, limit)
        except Unavailable as reason:
            self._skip(scenario.name, str(reason))
            return None
        if figures:
            figures["took_s"] = time.monotonic() - begin
            print(f"took {figures['took_s']:.0f} s", flush=True)
        return figures

    def _measure(self, scenario, case, limit):
        options = self._options
        taking_part = self._taking_part(scenario, case)
        if not taking_part:
            self._skip(scenario.name, "no contestant")
            return None
        rows = Rounds(case, taking_part, self._tools(), _say).run(
            options.rounds, options.warmup)
        figures = report.summarise(scenario, case, rows,
                                   self._bound(scenario, case, rows, limit))
        print("\n".join(report.table(figures, options.rounds)), flush=True)
        return figures

    def _tools(self):
        logs = os.path.join(self._options.dir, "logs")
        os.makedirs(logs, exist_ok=True)
        launcher = os.path.join(self._options.build, "bench", "bench-launch")
        if not os.access(launcher, os.X_OK):
            _say(f"  {launcher} is not built: peak RSS has a floor")
            launcher = None
        return measure.Tools(launcher, logs)

    def _bound(self, scenario, case, rows, limit):
        plain = [s for r in rows for s in r.samples
                 if r.contestant.kind == KIND_LIMIT]
        if not plain:
            return None
        return limits.bound(case, plain,
                            limit.of(scenario, case, self._options.size))

    def _taking_part(self, scenario, case):
        """The contestants, in the scenario's order; variants after clonewire."""
        by_name = {c.name: c for c in self._contestants}
        extra = [c.name for c in self._contestants
                 if c.kind == KIND_CLONEWIRE
                 and c.name.removeprefix("clonewire-") in
                 [v.partition("=")[0] for v in [*self._options.variant,
                                                *self._options.against]]]
        ours = [n for n in scenario.contestants if n.startswith("clonewire")]
        others = [n for n in scenario.contestants if n not in ours]
        found = []
        for name in [*ours, *extra, *others]:
            contestant = by_name[name]
            if not self._is_wanted(contestant, case):
                continue
            missing = contestant.missing()
            reason = missing or contestant.refuses(case)
            if reason:
                self._skip(name if missing else f"{scenario.name}/{name}",
                           reason)
            else:
                found.append(contestant)
        return found

    def _is_wanted(self, contestant, case):
        if contestant.kind == KIND_CLONEWIRE:
            return True
        if not self._wanted:
            return not contestant.is_slow(case)
        return any(fnmatch.fnmatch(contestant.name, p) for p in self._wanted)

    def _skip(self, what, why):
        note = {"what": what, "why": why}
        if note not in self._skipped:
            self._skipped.append(note)
            _say(f"  skipped {what}: {why}")

    def _finish(self, record):
        print(f"\n{report.LEGEND}", end="")
        for skipped in self._skipped:
            print(f"skipped {skipped['what']}: {skipped['why']}")
        path = self._options.json or os.path.join(
            _ROOT, "bench", "results",
            f"{datetime.datetime.now():%Y%m%d-%H%M%S}.json")
        os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            json.dump(record, file, indent=1)
        print(f"record: {path}")
        _draw(record, path)
        return 1 if any(row["failed"] for figures in record["scenarios"]
                        for row in figures["rows"]) else 0


def _draw(record, path):
    """A chart of each scenario beside the record."""
    if chart.missing():
        print(f"no charts: {chart.missing()}")
        return
    for figures in record["scenarios"]:
        svg = f"{path.removesuffix('.json')}-{figures['scenario']}.svg"
        if chart.draw(record, figures, svg):
            print(f"chart: {svg}")


def _say(text):
    """Progress; tables go to stdout."""
    print(text, file=sys.stderr, flush=True)


@contextlib.contextmanager
def _only_one(directory):
    """Two benches at once would measure each other."""
    with open(os.path.join(directory, "lock"), "w", encoding="ascii") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.exit(f"bench: another one runs in {directory}")
        yield


@contextlib.contextmanager
def _memory_directory():
    """A directory on tmpfs; also removes what a killed run left there."""
    for name in os.listdir(scenarios.SHM):
        pid = name.removeprefix(_MEMORY_PREFIX)
        if name != pid and pid.isdigit() and not os.path.exists(
                f"/proc/{pid}"):
            _remove_memory(os.path.join(scenarios.SHM, name))
    directory = os.path.join(scenarios.SHM, f"{_MEMORY_PREFIX}{os.getpid()}")
    os.mkdir(directory, 0o700)
    try:
        yield directory
    finally:
        _remove_memory(directory)


def _remove_memory(directory):
    with contextlib.suppress(OSError):
        for name in os.listdir(directory):
            for device in targets.loop_over(os.path.join(directory, name)):
                targets.loop_detach(device)
    shutil.rmtree(directory, ignore_errors=True)
