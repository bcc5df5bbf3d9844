"""Is the new record worse than the old one, or is it only noise?

Wall times are compared through the reference peer of the same rounds where
both records have the same one: then a slower day of the machine cancels out.
A change counts when it is larger than a threshold, larger than the noise of
both sides, and unlikely (p < 0.05) in a rank test; instructions need none of
that.
"""

import json
from dataclasses import dataclass

from . import stats
from .contestant import KIND_CLONEWIRE
from .units import MIB

WALL_THRESHOLD = 0.05
CPU_THRESHOLD = 0.05
RSS_THRESHOLD = 0.10
BYTES_THRESHOLD = 0.02
INSTRUCTION_THRESHOLD = 0.02
P_VALUE = 0.05

WORSE, BETTER, SAME, UNCLEAR = "WORSE", "better", "same", "unclear"


@dataclass
class Verdict:
    what: str
    old: float
    new: float
    verdict: str
    note: str = ""

    @property
    def change(self):
        return self.new / self.old - 1 if self.old else 0.0


class Incomparable(Exception):
    """The records are not of the same work."""


def load(path):
    with open(path, encoding="utf-8") as file:
        record = json.load(file)
    if record.get("format") != 1:
        raise Incomparable(f"{path} is not a record of this harness")
    return record


def cautions(old, new):
    """What differs between the records besides clonewire."""
    lines = []
    for key in ("cpu", "cpus", "kernel", "memory", "data_filesystem"):
        if old["machine"].get(key) != new["machine"].get(key):
            lines.append(f"{key}: {old['machine'].get(key)} -> "
                         f"{new['machine'].get(key)}")
    for name in sorted({*old["versions"], *new["versions"]} - {"clonewire"}):
        if old["versions"].get(name) != new["versions"].get(name):
            lines.append(f"{name}: {old['versions'].get(name)} -> "
                         f"{new['versions'].get(name)}")
    return lines


def compare(old, new):
    """All verdicts, in the order of the new record."""
    if old["options"]["size"] != new["options"]["size"]:
        raise Incomparable(f"sizes differ: {old['options']['size']} and "
                           f"{new['options']['size']} bytes")
    before = {s["scenario"]: s for s in old["scenarios"]}
    verdicts = []
    for scenario in new["scenarios"]:
        if scenario["scenario"] in before:
            verdicts += _scenario(before[scenario["scenario"]], scenario)
    return verdicts + _micro(old.get("micro", {}), new.get("micro", {}))


def _scenario(old, new):
    rows = {r["name"]: r for r in old["rows"]}
    verdicts = []
    for row in new["rows"]:
        if row["kind"] != KIND_CLONEWIRE or row["name"] not in rows:
            continue
        what = f"{new['scenario']}/{row['name']}"
        before = rows[row["name"]]
        if not row["samples"]:
            if before["samples"]:
                verdicts.append(Verdict(what, 1, 1, WORSE,
                                        row["failed"] or "no samples"))
            continue
        if before["samples"]:
            verdicts += _row(what, old, before, new, row)
    return verdicts


def _row(what, old, before, new, row):
    verdicts = [_wall(what, old, before, new, row),
                _noisy(f"{what} CPU s", _cpu(before), _cpu(row),
                       CPU_THRESHOLD)]
    for key, threshold, slack in (
            ("rss_source_bytes", RSS_THRESHOLD, 2 * MIB),
            ("rss_target_bytes", RSS_THRESHOLD, 2 * MIB),
            ("wire_bytes", BYTES_THRESHOLD, MIB),
            ("allocated_bytes", BYTES_THRESHOLD, MIB)):
        verdicts.append(_exact(f"{what} {key.removesuffix('_bytes')} MiB",
                               before[key] / MIB, row[key] / MIB, threshold,
                               slack / MIB))
    return verdicts


def _walls(row):
    return [s["wall_s"] for s in row["samples"]]


def _cpu(row):
    return [sum(s["cpu_s"].values()) for s in row["samples"]]


def _wall(what, old, before, new, row):
    """Relative to the reference peer's wall of the same round, if any."""
    references = [_reference(old), _reference(new)]
    names = [r["name"] if r else None for r in references]
    if None in names or names[0] != names[1]:
        return _noisy(f"{what} wall s", _walls(before), _walls(row),
                      WALL_THRESHOLD)
    relative = [stats.paired_ratios(_walls(mine), _walls(reference))
                for mine, reference in zip((before, row), references)]
    return _noisy(f"{what} wall / {names[0]}", *relative, WALL_THRESHOLD)


def _reference(scenario):
    for row in scenario["rows"]:
        if row["name"] == scenario["reference"] and row["samples"]:
            return row
    return None


def _noisy(what, old, new, threshold):
    """Less is better in both lists of samples."""
    result = Verdict(what, stats.median(old), stats.median(new), SAME)
    size = abs(result.change)
    noise = max(stats.relative_noise(old), stats.relative_noise(new))
    p_value = stats.rank_p_value(old, new)
    result.note = f"noise {100 * noise:.0f} %, p {p_value:.2f}"
    if size <= threshold:
        return result
    if size <= noise or p_value >= P_VALUE:
        result.verdict = UNCLEAR
    else:
        result.verdict = WORSE if result.change > 0 else BETTER
    return result


def _exact(what, old, new, threshold, slack):
    """Less is better; no noise worth the name."""
    result = Verdict(what, old, new, SAME)
    if abs(new - old) > slack and abs(result.change) > threshold:
        result.verdict = WORSE if new > old else BETTER
    return result


def _micro(old, new):
    verdicts = []
    for name, figures in new.items():
        before = old.get(name, {})
        if "instructions" in figures and "instructions" in before:
            verdicts.append(_exact(f"{name} instructions",
                                   before["instructions"],
                                   figures["instructions"],
                                   INSTRUCTION_THRESHOLD, 1))
    return verdicts
