"""Runs the contestants of one case in interleaved rounds: A B C A B C …

The first rounds are thrown away: they warm memory and page cache.  Every
run's result is compared with the disk; a wrong byte ends that contestant.
"""

from dataclasses import dataclass, field

from . import check, measure

RUN_TIMEOUT_S = 600.0


@dataclass
class Row:
    """One contestant's samples; failed says why they ended."""

    contestant: object
    samples: list = field(default_factory=list)
    failed: str | None = None


class Rounds:
    def __init__(self, case, contestants, tools, say):
        self._case = case
        self._tools = tools
        self._say = say
        self.rows = [Row(c) for c in contestants]

    def run(self, count, warmup):
        for number in range(warmup + count):
            for row in self.rows:
                if row.failed is None:
                    self._once(row, number - warmup, count)
        return self.rows

    def _once(self, row, number, count):
        name = row.contestant.name
        which = "warm-up" if number < 0 else f"round {number + 1}/{count}"
        try:
            sample = self._measure(row.contestant)
        except (measure.Failed, OSError) as error:
            row.failed = str(error)
            self._say(f"  {which} {name}: FAILED: {error}")
            return
        self._say(f"  {which} {name}: {sample.wall_s:.3f} s")
        if sample.difference:
            row.failed = f"WRONG BYTES: {sample.difference}"
            self._say(f"  {which} {name}: {row.failed}")
        elif number >= 0:
            row.samples.append(sample)

    def _measure(self, contestant):
        case = self._case
        case.target.reset(contestant.wants_file)
        case.settle_source()
        sample = measure.execute(case.place(contestant.plan(case)),
                                 case.target.sync, self._tools, RUN_TIMEOUT_S)
        sample.allocated_bytes = case.target.allocated()
        if contestant.copies:
            sample.difference = check.difference(
                case.dataset.truth, case.target.content_path(),
                case.virtual_bytes)
        return sample
