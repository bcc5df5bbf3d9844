#!/usr/bin/env python3
"""Is standard input what a Prometheus server takes, and likes?

    exposition.py [--since EARLIER]

The text format 0.0.4, read strictly, and the rules of naming that promtool
has: every fault is a line, and the status then is 1.  EARLIER is a scrape of
the same process: counters must not have gone back.
"""

import re
import sys

NAME = re.compile(r"[a-z][a-z0-9_]*\Z")  # narrower than allowed: no camelCase
SAMPLE = re.compile(
    r"(?P<name>[a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(?P<labels>.*)\})? (?P<value>\S+)\Z")
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(,|\Z)')
VALUE = re.compile(r"(-?[0-9]+(\.[0-9]+)?(e[+-]?[0-9]+)?|NaN|[+-]Inf)\Z")
NOT_BASE = re.compile(
    r"_(ms|us|ns|milliseconds|microseconds|nanoseconds|minutes|hours|days|"
    r"kb|mb|gb|kib|mib|gib|kilobytes|megabytes|bits|percent)(_|\Z)")
TYPES = {"counter", "gauge"}


class Scrape:
    """What was read: types by name, values by series, and faults."""

    def __init__(self, text):
        self.types, self.helps, self.values, self.faults = {}, set(), {}, []
        self.closed, self.current = set(), None
        if not text.endswith("\n"):
            self.faults.append("the last line does not end")
        for number, line in enumerate(text.splitlines(), 1):
            for fault in self.take(line):
                self.faults.append(f"line {number}: {fault}: {line}")
        for name in self.types:
            if not any(series[0] == name for series in self.values):
                self.faults.append(f"{name} has no sample")

    def take(self, line):
        if line.startswith("# HELP ") or line.startswith("# TYPE "):
            return self.take_comment(*line[2:].split(" ", 2))
        if not line or line.startswith("#"):
            return ["neither HELP, TYPE nor a sample"]
        return self.take_sample(line)

    def enter(self, name):
        """All lines of a metric stand together."""
        if name == self.current:
            return
        self.closed.add(self.current)
        self.current = name
        if name in self.closed:
            yield "the metric was there before"

    def take_comment(self, what, name, text=""):
        yield from self.enter(name)
        if what == "HELP":
            if name in self.helps:
                yield "a second HELP"
            self.helps.add(name)
            if not text.strip() or re.search(r"\\[^\\n]", text):
                yield "a bad HELP"
            return
        if name in self.types:
            yield "a second TYPE"
        self.types[name] = text
        if text not in TYPES:
            yield "a TYPE we have no use for"
        yield from check_name(name, text)

    def take_sample(self, line):
        match = SAMPLE.match(line)
        if not match:
            yield "no sample"
            return
        name = match["name"]
        yield from self.enter(name)
        if name not in self.types or name not in self.helps:
            yield "no TYPE or no HELP before it"
        labels, faults = read_labels(match["labels"] or "")
        yield from faults
        if (name, labels) in self.values:
            yield "the same series twice"
        if not VALUE.match(match["value"]):
            yield "no number"
            return
        value = float(match["value"])
        self.values[name, labels] = value
        if self.types.get(name) == "counter" and not value >= 0:
            yield "a negative counter"


def check_name(name, kind):
    if not NAME.match(name):
        yield "a bad name"
    if (kind == "counter") != name.endswith("_total"):
        yield "counters, and only they, end in _total"
    if NOT_BASE.search(name):
        yield "no base unit"
    if re.search(r"_(counter|gauge|sum|count|bucket)\Z", name):
        yield "a name that ends in a type"


def read_labels(text):
    labels, faults, at = [], [], 0
    while at < len(text):
        match = LABEL.match(text, at)
        if not match:
            return None, ["bad labels"]
        labels.append(match.group(1, 2))
        at = match.end()
        if match[3] and at == len(text):
            faults.append("a comma after the last label")
    if len({name for name, _ in labels}) != len(labels):
        faults.append("a label twice")
    return tuple(sorted(labels)), faults


def main():
    scrape = Scrape(sys.stdin.read())
    if sys.argv[1:2] == ["--since"]:
        with open(sys.argv[2], encoding="utf-8") as file:
            earlier = Scrape(file.read())
        for series, value in earlier.values.items():
            if earlier.types.get(series[0]) != "counter":
                continue
            if scrape.values.get(series, -1) < value:
                scrape.faults.append(f"{series[0]} went back from {value}")
    for fault in scrape.faults:
        print(fault)
    return 1 if scrape.faults else 0


sys.exit(main())
