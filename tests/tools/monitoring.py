#!/usr/bin/env python3
"""monitoring.py DIRECTORY METRICS...: rules and dashboard of deploy/monitoring
ask for metrics and labels that the programs export; METRICS are files with
what running programs served.  Problems, one on a line.
"""

import json
import pathlib
import re
import sys
from typing import Iterator

import yaml

# What Prometheus adds while it scrapes: podmonitor.yaml, scrape.yaml.
SCRAPED = {"namespace", "pod", "instance", "job", "app_kubernetes_io_instance",
           "app_kubernetes_io_component"}
SAMPLE = re.compile(r"^(clonewire_\w+)(?:\{(.*)\})? ", re.M)
USE = re.compile(r"(clonewire_\w+)(?:\{([^}]*)\})?")
LABEL = re.compile(r"(\w+)(=~?|!=|!~)\"([^\"]*)\"")


def exported(texts) -> dict[str, dict[str, set[str]]]:
    """Metric -> label -> its values."""
    metrics = {}
    for text in texts:
        for name, labels in SAMPLE.findall(text):
            of_name = metrics.setdefault(name, {})
            for label, _, value in LABEL.findall(labels):
                of_name.setdefault(label, set()).add(value)
    return metrics


def expressions(directory) -> Iterator[tuple[str, str]]:
    """Where one stands, and the expression."""
    rules = yaml.safe_load((directory / "rules.yaml").read_text())
    for group in rules["spec"]["groups"]:
        for rule in group["rules"]:
            yield rule["alert"], rule["expr"]
    dashboard = json.loads((directory / "dashboard.json").read_text())
    for panel in dashboard["panels"]:
        for target in panel["targets"]:
            yield panel["title"], target["expr"]
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "query":
            yield variable["name"], variable["query"]["query"]


def check(where, expression, metrics) -> Iterator[str]:
    uses = USE.findall(expression)
    if not uses:
        yield f"{where}: no metric of clonewire in: {expression}"
    for name, labels in uses:
        if name not in metrics:
            yield f"{where}: nothing exports {name}"
            continue
        for label, operator, value in LABEL.findall(labels):
            if label in SCRAPED:
                continue
            values = metrics[name].get(label)
            if values is None:
                yield f"{where}: {name} has no label {label}"
            elif operator == "=" and value not in values:
                yield f"{where}: {name} is never {label}={value}"


def main(directory, *files) -> int:
    directory = pathlib.Path(directory)
    metrics = exported(pathlib.Path(file).read_text() for file in files)
    asked = list(expressions(directory))
    problems = [problem for where, expression in asked
                for problem in check(where, expression, metrics)]
    print("\n".join(problems + [f"{len(asked)} expressions"]))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
