"""Scenarios one after the other, what they counted, and what they found."""

import collections
import dataclasses
import os
import pathlib
import shutil
import time

from pairs import Programs
from play import Play
from scenario import Scenario, draw
from verdict import Violation

MINIMISE_SECONDS = 60
LOG_LINES = 60
WORDS_SECONDS = 300  # a long campaign says how far it is


class Counts:
    """What a campaign has done so far."""

    def __init__(self):
        self.scenarios = 0
        self.faults: collections.Counter = collections.Counter()
        self.statuses: collections.Counter = collections.Counter()
        self.violations: list[int] = []

    def add(self, play: Play) -> None:
        self.scenarios += 1
        self.faults.update(play.events)
        self.statuses.update(play.statuses)

    def lines(self) -> list[str]:
        faults = ", ".join(f"{name} {count}" for name, count in
                           sorted(self.faults.items()))
        ends = ", ".join(f"{side} {status}: {count}" for (side, status), count
                         in sorted(self.statuses.items()))
        return [f"{self.scenarios} scenarios, {sum(self.faults.values())} "
                f"faults: {faults}", f"ends: {ends}",
                f"{len(self.violations)} violations"
                + "".join(f" {seed}" for seed in self.violations)]


@dataclasses.dataclass
class Choice:
    """Which steps of each scenario to play."""

    only: set[int] | None  # by number; None: all
    without: set[str]  # names of faults

    def cut(self, scenario: Scenario) -> None:
        """Leaves the others out."""
        scenario.steps = [
            step for number, step in enumerate(scenario.steps)
            if (self.only is None or number in self.only)
            and step.fault not in self.without]


def run(programs: Programs, seconds: float, seed: int, choice: Choice,
        keeps_going: bool) -> int:
    """Plays seed, seed + 1, ... until time is up; 0 if all promises held."""
    counts, directory = Counts(), pathlib.Path.cwd()
    is_root = os.geteuid() == 0
    if not is_root:
        print("not root: no loop devices, no filesystems that fill up or roll "
              "back, and durability is not looked at", flush=True)
    print(f"seed {seed}", flush=True)
    deadline = time.monotonic() + seconds
    next_words = time.monotonic() + WORDS_SECONDS
    while True:
        scenario = draw(seed, is_root)
        choice.cut(scenario)
        try:
            play, violation = play_once(scenario, programs, directory, is_root)
        except Exception:
            print(f"seed {seed}: the campaign itself has failed", flush=True)
            raise
        counts.add(play)
        if violation:
            counts.violations.append(seed)
            report(play, violation)
            if not keeps_going:
                minimise(scenario, programs, directory, is_root)
                break
        seed += 1
        now = time.monotonic()
        if now >= deadline:
            break
        if now >= next_words:
            next_words = now + WORDS_SECONDS
            print("\n".join(counts.lines()), flush=True)
    print("\n".join(counts.lines()), flush=True)
    return 1 if counts.violations else 0


def play_once(scenario: Scenario, programs: Programs, directory: pathlib.Path,
              is_root: bool) -> tuple[Play, Violation | None]:
    """Plays a scenario in a fresh directory, which is gone afterwards."""
    work = directory / "scenario"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    play = Play(scenario, programs, work, is_root)
    violation = None
    try:
        play.run()
    except Violation as error:
        violation = error
        play.texts = [(log.name, log.read_text(errors="replace"))
                      for log in play.logs]
    shutil.rmtree(work, ignore_errors=True)
    return play, violation


def report(play: Play, violation: Violation) -> None:
    """All that a person needs to find the fault."""
    seed = play.scenario.seed
    print(f"\n==== seed {seed}: {violation}")
    print("\n".join(play.scenario.lines()))
    print("what happened:")
    print("\n".join("  " + line for line in play.story))
    for name, text in play.texts:
        print(f"---- {name}")
        print("\n".join(text.splitlines()[-LOG_LINES:]))
    print(f"==== again: ./dev torture 1 {seed}", flush=True)


def minimise(scenario: Scenario, programs: Programs, directory: pathlib.Path,
             is_root: bool) -> None:
    """Leaves out steps, one by one, as long as a promise stays broken."""
    deadline = time.monotonic() + MINIMISE_SECONDS
    kept = list(enumerate(scenario.steps))
    for entry in list(kept):
        if time.monotonic() > deadline:
            break
        fewer = [other for other in kept if other is not entry]
        scenario.steps = [step for _, step in fewer]
        _, violation = play_once(scenario, programs, directory, is_root)
        if violation:
            kept = fewer
            print(f"  also without step {entry[0]}: {violation}", flush=True)
    numbers = ",".join(str(number) for number, _ in kept)
    print(f"==== the steps that it takes: ./dev torture 1 {scenario.seed} "
          f"--only '{numbers}'", flush=True)
