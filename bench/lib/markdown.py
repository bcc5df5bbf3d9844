"""Tables of a record for docs: Markdown, and filled in where a text says so.

A text asks for the table of a scenario with two comments, between which the
lines are replaced:

    <!-- bench: direct -->
    <!-- /bench -->
"""

import re

from . import report
from .units import MIB, format_size

_HEAD = ["", "wall s (min–max)", "× ref", "CPU s src + dst", "CPU s/GiB",
         "RSS MiB", "wire MiB", "allocated MiB", "of the bound"]
_PLACE = re.compile(r"(<!-- bench: (\S+) -->\n).*?(<!-- /bench -->)",
                    re.DOTALL)


def tables(record):
    """{name: lines} of every scenario of the record, and "micro"."""
    found = {f["scenario"]: _scenario(record, f)
             for f in record["scenarios"]}
    if record.get("micro"):
        found["micro"] = _micro(record)
    return found


def fill(text, found):
    """The text with its places filled, and their names; and the names of
    places that found has nothing for."""
    filled, left = [], []

    def place(match):
        if match[2] not in found:
            left.append(match[2])
            return match[0]
        filled.append(match[2])
        lines = "\n".join(found[match[2]])
        return f"{match[1]}{lines}\n{match[3]}"

    return _PLACE.sub(place, text), filled, left


def _scenario(record, figures):
    size = format_size(figures["data_bytes"])
    lines = [f"{figures['about']}; {size} of data in "
             f"{format_size(figures['virtual_bytes'])}. {_source(record)}",
             "", _row(_HEAD), _row(["---"] + ["---:"] * (len(_HEAD) - 1))]
    lines += [_row(_cells(row)) for row in figures["rows"]]
    said = report.caution(figures) + report.verdict(figures)
    return [*lines, "", *(f"* {line}" for line in said)] if said else lines


def _source(record):
    options, machine = record["options"], record["machine"]
    return (f"Medians of {options['rounds']} rounds, {machine['cpus']} CPUs, "
            f"Linux {machine['kernel']}, {machine['data_filesystem']}, "
            f"revision {record['revision']}.")


def _cells(row):
    name = f"`{row['name']}`"
    if "wall_s" not in row:
        return [name, row["failed"] or "no samples"]
    low, high = row["wall_spread_s"]
    return [name, f"{row['wall_s']:.3f} ({low:.3f}–{high:.3f})",
            _number(row.get("ratio")),
            f"{row['cpu_source_s']:.2f} + {row['cpu_target_s']:.2f}",
            _number(row.get("cpu_s_per_gib")),
            f"{row['rss_source_bytes'] / MIB:.0f} / "
            f"{row['rss_target_bytes'] / MIB:.0f}",
            f"{row['wire_bytes'] / MIB:.0f}",
            f"{row['allocated_bytes'] / MIB:.0f}",
            f"{100 * row['share_of_bound']:.0f} %"
            if "share_of_bound" in row else ""]


def _micro(record):
    lines = [_row(["", "ns/call", "GB/s", "instructions"]),
             _row(["---", "---:", "---:", "---:"])]
    for name, figures in record["micro"].items():
        rate, count = figures.get("gb_per_s"), figures.get("instructions")
        lines.append(_row([f"`{name}`", f"{figures.get('ns', 0):.1f}",
                           f"{rate:.2f}" if rate else "",
                           "" if count is None else f"{count:.0f}"]))
    return lines


def _number(value):
    return "" if value is None else f"{value:.2f}"


def _row(cells):
    return f"| {' | '.join(cells)} |"
