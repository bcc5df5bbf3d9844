"""One table per scenario, and what it means in a sentence."""

from . import limits, stats
from .contestant import KIND_CLONEWIRE, KIND_LIMIT, KIND_PEER
from .units import GIB, MIB, format_size

_COLUMNS = [
    # title, width
    ("contestant", -21), ("wall s", 8), ("min", 8), ("max", 8),
    ("GiB/s", 6), ("x ref", 6), ("min", 5), ("max", 5),
    ("CPU src", 8), ("CPU dst", 8), ("s/GiB", 6), ("kern", 6),
    ("RSS src", 8), ("RSS dst", 8), ("wire MiB", 9), ("alloc MiB", 10),
    ("bound", 6),
]

# More than this on average, and wall times say more about the neighbours.
NOISY_CPUS = 0.15

LEGEND = """\
wall: client's start to the last exit and the target's fdatasync, median.
x ref: how many times as fast as the first peer, or over a link as the row
named below the table, median of paired rounds.
CPU: user+system seconds of each end; s/GiB: both, per GiB of allocated data;
kern: CPU of kernel threads (loop devices, writeback).  RSS: peak MiB.
bound: share of what this machine allows, measured in the same run.
"""


def summarise(scenario, case, rows, limit):
    """The figures of one scenario, as they go to the JSON record.

    limit: of limits.bound(), or None.
    """
    reference = _reference(rows, scenario.reference)
    return {
        "others_cpus": _others(rows),
        "scenario": scenario.name,
        "about": scenario.about,
        "virtual_bytes": case.virtual_bytes,
        "data_bytes": case.dataset.data_bytes,
        "is_read_whole": limits.is_read_whole(case),
        "reference": reference.contestant.name if reference else None,
        "link": str(scenario.link) if scenario.link else None,
        "pods": str(scenario.pods) if scenario.pods else None,
        "bound": limit,
        "rows": [_row(r, case, reference, limit) for r in rows],
    }


def _others(rows):
    """CPUs that were busy with neither us nor kernel threads, on average."""
    samples = [s for r in rows for s in r.samples]
    busy = sum(s.machine_cpu_s - s.kernel_cpu_s - sum(s.cpu_s.values())
               for s in samples)
    wall = sum(s.wall_s for s in samples)
    return max(busy / wall, 0.0) if wall else 0.0


def _reference(rows, name):
    """The row of that name, or of the first peer."""
    for row in rows:
        is_it = (row.contestant.name == name if name
                 else row.contestant.kind == KIND_PEER)
        if is_it and row.samples:
            return row
    return None


def _walls(row):
    return [s.wall_s for s in row.samples]


def _row(row, case, reference, limit):
    out = {"name": row.contestant.name, "kind": row.contestant.kind,
           "about": row.contestant.about, "failed": row.failed,
           "samples": [vars(s) for s in row.samples]}
    if not row.samples:
        return out
    walls = _walls(row)
    out["wall_s"] = stats.median(walls)
    out["wall_spread_s"] = stats.spread(walls)
    for side in ("source", "target"):
        out[f"cpu_{side}_s"] = _median(row, lambda s: s.cpu_s[side])
        out[f"rss_{side}_bytes"] = max(s.rss_bytes[side]
                                       for s in row.samples)
    out["kernel_cpu_s"] = _median(row, lambda s: s.kernel_cpu_s)
    out["wire_bytes"] = _median(row, lambda s: s.wire_bytes)
    out["allocated_bytes"] = _median(row, lambda s: s.allocated_bytes)
    if reference:
        ratios = stats.paired_ratios(_walls(reference), walls)
        out["ratio"] = stats.median(ratios)
        out["ratio_spread"] = stats.spread(ratios)
    if limit and row.contestant.kind == KIND_CLONEWIRE:
        out["share_of_bound"] = limit["wall_s"] / out["wall_s"]
    if case.dataset.data_bytes:
        out["cpu_s_per_gib"] = ((out["cpu_source_s"] + out["cpu_target_s"])
                                * GIB / case.dataset.data_bytes)
        out["gib_per_s"] = case.dataset.data_bytes / GIB / out["wall_s"]
    return out


def _median(row, of):
    return stats.median([of(s) for s in row.samples])


def table(figures, rounds):
    """The lines of one scenario's table."""
    lines = ["", f"== {figures['scenario']}: {figures['about']}; "
             f"{format_size(figures['data_bytes'])} of data in "
             f"{format_size(figures['virtual_bytes'])}; {rounds} rounds"]
    lines.append(" ".join(_pad(t, w) for t, w in _COLUMNS).rstrip())
    for row in figures["rows"]:
        lines.append(" ".join(
            _pad(c, w) for c, (_, w) in zip(_cells(row), _COLUMNS)).rstrip())
    if figures["link"]:
        lines.append(f"link: {figures['link']}")
    if figures.get("pods"):
        lines.append(f"pods: {figures['pods']}")
    if figures["bound"]:
        lines.append(_bound(figures["bound"]))
    return lines + caution(figures) + verdict(figures)


def caution(figures):
    """Lines: what keeps the wall times from being believed."""
    others = figures["others_cpus"]
    if others <= NOISY_CPUS:
        return []
    return [f"(!) not alone: others kept {others:.1f} CPUs busy; trust CPU "
            "seconds, not the wall"]


def _bound(bound):
    names = {"aes": "AES-128-GCM", "aes_openssl": "OpenSSL's own",
             "read": "fio read", "write": "fio write"}
    speeds = [f"{names[key]} {rate / GIB:.2f} GiB/s"
              for key, rate in bound["bytes_per_s"].items() if rate]
    return (f"bound: {bound['wall_s']:.3f} s ({bound['by']}); "
            f"{', '.join(speeds)}")


def _cells(row):
    if "wall_s" not in row:
        return [row["name"], row["failed"] or "no samples"]
    low, high = row["wall_spread_s"]
    ratio = row.get("ratio_spread", (None, None))
    name = row["name"] + (" (!)" if row["failed"] else "")
    return [name, f"{row['wall_s']:.3f}", f"{low:.3f}", f"{high:.3f}",
            _number(row.get("gib_per_s"), 2), _number(row.get("ratio"), 2),
            _number(ratio[0], 2), _number(ratio[1], 2),
            f"{row['cpu_source_s']:.2f}", f"{row['cpu_target_s']:.2f}",
            _number(row.get("cpu_s_per_gib"), 2),
            f"{row['kernel_cpu_s']:.2f}",
            f"{row['rss_source_bytes'] / MIB:.0f}",
            f"{row['rss_target_bytes'] / MIB:.0f}",
            f"{row['wire_bytes'] / MIB:.0f}",
            f"{row['allocated_bytes'] / MIB:.0f}",
            _percent(row.get("share_of_bound"))]


def _pad(text, width):
    return text.ljust(-width) if width < 0 else text.rjust(width)


def _number(value, digits):
    return "" if value is None else f"{value:.{digits}f}"


def _percent(value):
    return "" if value is None else f"{100 * value:.0f} %"


def verdict(figures):
    """Lines: clonewire against the fastest peer here,
    against the plain copy, and against the disk."""
    measured = [r for r in figures["rows"] if "wall_s" in r]
    peers = [r for r in measured if r["kind"] == KIND_PEER]
    plain = [r for r in measured if r["kind"] == KIND_LIMIT]
    best = min(peers, key=lambda r: r["wall_s"]) if peers else None
    lines = []
    for row in measured:
        if row["kind"] != KIND_CLONEWIRE:
            continue
        if best:
            lines.append(_against(row, best))
        lines += [f"{row['name']} is {_paired(row, p)} the plain TCP copy "
                  f"({p['name']})" for p in plain]
        lines += _reading(figures, row) + _with_openssl(figures, row)
    lines += [f"(!) {r['name']}: {r['failed']}" for r in figures["rows"]
              if r["failed"] and "wall_s" in r]
    return lines + _over_link(figures)


def _over_link(figures):
    """clonewire against the scenario's own reference, if that is not a peer."""
    named = {r["name"]: r for r in figures["rows"] if "wall_s" in r}
    reference = named.get(figures["reference"])
    if not reference or reference["kind"] == KIND_PEER:
        return []
    return [f"{row['name']} is {row['ratio']:.3f} x as fast as "
            f"{reference['name']}, paired {row['ratio_spread'][0]:.3f}-"
            f"{row['ratio_spread'][1]:.3f}"
            for row in named.values()
            if row["kind"] == KIND_CLONEWIRE and row is not reference]


def _reading(figures, row):
    """How near a disk that has to be read whole comes to its own speed."""
    alone = ((figures["bound"] or {}).get("bytes_per_s") or {}).get("read")
    if not figures.get("is_read_whole") or not alone:
        return []
    rate = figures["virtual_bytes"] / row["wall_s"]
    return [f"{row['name']} reads the disk at {rate / GIB:.2f} GiB/s, "
            f"{100 * rate / alone:.0f} % of what fio gets of it alone"]


def _with_openssl(figures, row):
    """The share of the bound, were OpenSSL's own AES the fastest there is."""
    limit = figures["bound"] or {}
    wall_s = limit.get("wall_openssl_s")
    if not wall_s or wall_s == limit["wall_s"]:
        return []
    rates = limit["bytes_per_s"]
    return [f"{row['name']} has {100 * limit['wall_s'] / row['wall_s']:.0f} % "
            f"of the bound with the fastest AES-128-GCM "
            f"({rates['aes'] / GIB:.1f} GiB/s a core), "
            f"{100 * wall_s / row['wall_s']:.0f} % of that with OpenSSL's own "
            f"({rates['aes_openssl'] / GIB:.1f} GiB/s)"]


def _paired(row, other):
    """Like "1.30 x as fast as", with the spread."""
    ratios = stats.paired_ratios([s["wall_s"] for s in other["samples"]],
                                 [s["wall_s"] for s in row["samples"]])
    low, high = stats.spread(ratios)
    return (f"{stats.median(ratios):.2f} x (paired {low:.2f}-{high:.2f}) as "
            "fast as")


def _against(row, best):
    cpu = ((row["cpu_source_s"] + row["cpu_target_s"]) /
           max(best["cpu_source_s"] + best["cpu_target_s"], 1e-9))
    return (f"{row['name']} is {_paired(row, best)} the best peer "
            f"({best['name']}), with {cpu:.2f} x its CPU")
