"""A chart of a scenario: how long each contestant took, drawn by gnuplot.

One bar per contestant, as long as its median wall time; a whisker from the
fastest to the slowest round; a dashed line where the machine's own limit is.
"""

import shutil
import subprocess

from .contestant import (KIND_CLONEWIRE, KIND_FLOOR, KIND_LIMIT, KIND_NETWORK,
                         KIND_PEER, SEARCH_PATH)
from .units import format_size

# Colours that readers with a colour blindness tell apart (Okabe and Ito).
_COLOURS = {KIND_CLONEWIRE: "#0072b2", KIND_PEER: "#e69f00",
            KIND_LIMIT: "#999999", KIND_NETWORK: "#999999",
            KIND_FLOOR: "#cccccc"}
_BAR = 0.36  # half of a bar's height; bars are 1 apart
_WIDTH = 760
_ROW_HEIGHT, _FRAME_HEIGHT = 26, 150

_SCRIPT = """\
set terminal svg size {width},{height} font "sans-serif,13" background "white"
set output "{path}"
set title "{title}" offset 0,0.6 noenhanced
set xlabel "{how}\\n{where}" noenhanced
set xrange [0:{longest:.6f}]
set yrange [{rows} - 0.3:-0.6]
set ytics nomirror scale 0 noenhanced ({labels})
set xtics nomirror
set border 3
set grid xtics linecolor rgb "#dddddd"
unset key
set style fill solid 1.0 noborder
{marks}
$rows << END
{data}
END
plot $rows using 2:1:(0):2:($1-{bar}):($1+{bar}):5 \\
         with boxxyerror linecolor rgb variable, \\
     $rows using 2:1:3:4 with xerrorbars pointtype 0 linewidth 1.5 \\
         linecolor rgb "#333333", \\
     $rows using 4:1:6 with labels left offset character 0.7,0 noenhanced
"""


def missing():
    """None when charts can be drawn here, else why not."""
    if shutil.which("gnuplot", path=SEARCH_PATH):
        return None
    return "gnuplot not installed"


def draw(record, figures, path):
    """Writes the chart of a scenario of the record to path, as SVG.

    Returns False when none of its contestants was measured.
    """
    rows = [r for r in figures["rows"] if "wall_s" in r]
    if not rows:
        return False
    subprocess.run(["gnuplot"], input=_script(record, figures, rows, path),
                   text=True, check=True, env={"PATH": SEARCH_PATH})
    return True


def _script(record, figures, rows, path):
    slowest = max(max(r["wall_spread_s"]) for r in rows)
    machine = record["machine"]
    return _SCRIPT.format(
        width=_WIDTH, height=_FRAME_HEIGHT + _ROW_HEIGHT * len(rows),
        path=_quoted(path), bar=_BAR, rows=len(rows),
        title=_quoted(f"{figures['scenario']}: {figures['about']}"),
        how=f"seconds for {format_size(figures['data_bytes'])}: median, "
            f"fastest and slowest of {record['options']['rounds']} rounds",
        where=_quoted(f"{machine['cpus']} CPUs, Linux {machine['kernel']}, "
                      f"{machine['data_filesystem']}, "
                      f"revision {record['revision']}"),
        longest=slowest * 1.15,  # room for the numbers behind the bars
        labels=", ".join(f'"{_quoted(r["name"])}" {i}'
                         for i, r in enumerate(rows)),
        marks=_bound(figures["bound"]),
        data="\n".join(_line(i, r) for i, r in enumerate(rows)))


def _line(place, row):
    low, high = row["wall_spread_s"]
    colour = int(_COLOURS[row["kind"]][1:], 16)
    return (f"{place} {row['wall_s']:.6f} {low:.6f} {high:.6f} {colour} "
            f"{row['wall_s']:.3f}")


def _bound(bound):
    if not bound:
        return ""
    at = f"{bound['wall_s']:.6f}"
    return (f"set arrow from {at}, graph 0 to {at}, graph 1 nohead front "
            'dashtype 2 linewidth 1.5 linecolor rgb "#d55e00"\n'
            f'set label "limit: {_quoted(bound["by"])}" at {at}, graph 1.0 '
            'center offset 0,0.6 textcolor rgb "#d55e00" noenhanced front')


def _quoted(text):
    """The text for between gnuplot's double quotes."""
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")
