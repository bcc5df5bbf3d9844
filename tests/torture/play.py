"""One scenario, played: both programs, the faults, and the judgement."""

import os
import pathlib
import random
import subprocess
import time

from faults import FAULTS, NotNow
from network import Network
from pairs import LISTENING, PAIRS, Programs
from process import Process
from scenario import Scenario, Step
from source_disk import MIB, SourceDisk
from verdict import Violation, check_status, describe, find_state
import volume

TRIES = 12  # reruns until both sides must have ended with 0


class Play:
    """A run of a scenario in a directory of its own."""

    def __init__(self, scenario: Scenario, programs: Programs,
                 directory: pathlib.Path, is_root: bool):
        self.scenario = scenario
        self.programs = programs
        self.directory = directory
        self.is_root = is_root
        self.pair = PAIRS[scenario.pair](programs, scenario)
        self.has_tampered_dest = False
        self.old_record: bytes | None = None
        self.process: dict[str, Process] = {}
        self.unjudged: dict[str, Process] = {}
        self.is_done = {side: False for side in self.pair.sides}
        self.events: list[str] = []  # names of the steps that were applied
        self.story: list[str] = []  # with times, for a person
        self.logs: list[pathlib.Path] = []
        self.statuses: list[tuple[str, int]] = []
        self.start = time.monotonic()
        self._undo: list = []

    # ---- from the beginning to the end ----

    def run(self) -> None:
        """Plays it; raises Violation."""
        try:
            self._set_up()
            for step in self.scenario.steps:
                if all(self.is_done.values()):
                    break
                self._apply(step)
            self._finish()
        finally:
            self._close()

    def _set_up(self) -> None:
        scenario = self.scenario
        rng = random.Random(scenario.seed + 1)
        self.network = Network()
        self._undo.append(self.network.close)
        self.disk = SourceDisk(self.directory, scenario.image)
        self.disk.create(scenario.size, scenario.data, rng)
        if scenario.image == "raw-loop":
            self.disk.loop = volume.attach(self.disk.image)
            self._undo.append(lambda: volume.detach(self.disk.loop))
        self.state_dir = self.directory / "state"
        self.state_dir.mkdir()
        self.volume = self._make_volume()
        self._undo.append(self.volume.close)
        self.old: list = []  # what the name may hold before there is a copy
        if scenario.has_older:
            self._put_older(rng)

    def _make_volume(self):
        scenario = self.scenario
        if scenario.target == "device":
            made = volume.Device(self.directory,
                                 self.disk.now.size + scenario.seed % 3 * MIB
                                 + 2 * MIB)
        elif self.is_root:
            room = 2 * (scenario.size + 2 * MIB) + 32 * MIB
            made = volume.Mounted(self.directory, room)
        else:
            made = volume.Plain(self.directory)
        return made

    def _put_older(self, rng: random.Random) -> None:
        older = self.directory / "older"
        self.disk.age(older, rng)
        with open(older, "rb") as data, open(
                self.volume.dest, "r+b" if self.volume.is_device else
                "wb") as dest:
            while piece := data.read(MIB):
                dest.write(piece)
            dest.flush()
            os.fsync(dest.fileno())
        self.old = [older]

    def _close(self) -> None:
        for process in self.process.values():
            process.kill(9)
            process.wait(self.programs.longest)
        for undo in reversed(self._undo):
            try:
                undo()
            except (OSError, RuntimeError, subprocess.SubprocessError) as error:
                self.tell(f"cannot undo: {error}")

    def tell(self, text: str) -> None:
        """Keeps what happened, for the report."""
        self.story.append(f"{time.monotonic() - self.start:7.3f} s  {text}")

    # ---- steps ----

    def _apply(self, step: Step) -> None:
        rng = random.Random(step.seed)
        if step.moment == "dead":
            if self.is_running(self.pair.sides[-1]):
                return
            self.wait_source_knows()
        else:
            self._keep_running()
            self._wait_moment(step, rng)
        if all(self.is_done.values()):
            return
        self._remember_record()
        self.events.append(step.fault)
        try:
            FAULTS[step.fault](self, rng)
            self.tell(str(step))
        except NotNow:
            self.events.pop()
        self.network.release()
        self._judge_ended()

    def _remember_record(self) -> None:
        for path in self.volume.records():
            try:
                self.old_record = self.old_record or path.read_bytes()
            except FileNotFoundError:
                pass

    def _wait_moment(self, step: Step, rng: random.Random) -> None:
        if step.moment == "time" or (step.moment == "bytes"
                                     and "target" not in self.pair.sides):
            time.sleep(step.amount / 4)
            return
        if step.moment == "bytes":
            self.network.hold_after(self._share(step.amount))
        inode = self._inode()
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and self._all_run():
            if step.moment == "bytes" and self.network.held.is_set():
                time.sleep(rng.choice((0, 0.01, 0.15)))  # for a checkpoint
                return
            if step.moment == "named" and self._inode() != inode:
                return
            if step.moment == "log" and (
                    "flushing" in self.process[self.pair.sides[-1]].text()):
                return
            time.sleep(0.001)

    def _share(self, amount: float) -> int:
        """So many bytes on the network; few where most is there already."""
        data = min(self.scenario.data, self.disk.now.size)
        is_first = len(self.logs) <= 2
        if self.scenario.has_older == "delta" or not is_first:
            amount = amount ** 4
        return int(amount * data)

    def _inode(self) -> int:
        try:
            return os.stat(self.volume.dest).st_ino
        except FileNotFoundError:
            return 0

    def is_running(self, side: str) -> bool:
        """Whether a process of that side lives."""
        return side in self.process and self.process[side].is_running

    def _all_run(self) -> bool:
        return all(self.is_running(side) for side in self.pair.sides)

    def wait_end(self, process: Process) -> None:
        """Waits for a process to end, as it must."""
        if not process.wait(self.programs.longest):
            raise Violation(f"{process.side} does not end, in "
                            f"{self.programs.longest:.0f} s")

    def wait_source_knows(self) -> None:
        """A source that lives may have heard DONE before the target ended:
        waits until it has ended, or called again, so that has it not."""
        calls = self.network.calls
        deadline = time.monotonic() + 10
        while (self.is_running("source") and self.network.calls == calls
               and time.monotonic() < deadline):
            time.sleep(0.005)
        self._judge_ended()

    # ---- programs ----

    def _keep_running(self) -> None:
        """Starts what has to run for the clone to go on."""
        self._judge_ended()
        needs_source = (not self.is_running("source")
                        and not self.is_done["source"])
        if "target" in self.is_done:
            if needs_source:
                self.is_done["target"] &= self.is_running("target")
            for _ in range(3):  # refused, it is started with consent
                if not self.is_running("target") and (
                        not self.is_done["target"]):
                    self._start_target()
        if needs_source:
            self._start("source")
        elif self.is_done["source"] and self.is_running("target"):
            self._wait_alone()

    def _wait_alone(self) -> None:
        """A target that is started when its source knows already that the
        clone is whole: ends by itself; without a record of that it wants to
        be sent all again."""
        target = self.process["target"]
        if not target.wait(2) and "finished by an earlier" in target.text():
            self.wait_end(target)
        self._judge_ended()
        if self.is_running("target"):
            self.tell("the target waits for a source that has ended")
            self.is_done["source"] = False
            self._start("source")

    def _start(self, side: str) -> None:
        command, env = self.pair.command(side, self)
        log = self.directory / f"{side}-{len(self.logs)}.log"
        self.logs.append(log)
        process = Process(side, command, log, env, self._on_exit)
        process.first_event = len(self.events)
        process.met_full_disk = self.is_full
        process.foreign = (self.volume.first_bytes()
                           if self.volume.has_foreign_data else None)
        self.process[side] = self.unjudged[side] = process
        self.tell(f"start {side}: {' '.join(command[1:])}")

    def _start_target(self) -> None:
        self._start("target")
        target = self.process["target"]
        deadline = time.monotonic() + self.programs.longest
        while target.is_running:
            found = LISTENING.search(target.text())
            if found:
                self.network.backend = int(found[1])
                return
            if time.monotonic() > deadline:
                raise Violation("the target neither listens nor ends")
            time.sleep(0.005)
        self._judge_ended()

    def _on_exit(self, process: Process) -> None:
        """At the moment of the end: what is durable now?"""
        process.stable = None
        target = self.process.get(self.pair.sides[-1])
        if process.side == self.pair.sides[-1]:
            self.network.backend = 0
            process.stable = self.volume.snapshot()
        elif process.status == 0 and target:
            if target is not process and not target.is_running:
                process.stable = target.stable
            else:
                process.stable = self.volume.snapshot()

    # ---- judgement ----

    def _judge_ended(self) -> None:
        for side, process in list(self.unjudged.items()):
            if not process.is_running:
                del self.unjudged[side]
                self._judge(process)

    def _judge(self, process: Process) -> None:
        side = process.side
        status = self.pair.honest(side, process.status, process.text())
        self.tell(f"{side} ended with {status}")
        self.statuses.append((side, status))
        try:
            if status == 0:
                self._check_copy(process)
                self.is_done[side] = True
            elif status == 11:
                self._check_refusal(self.process[self.pair.sides[-1]])
            else:
                check_status(status, self._events_of(process))
            self._check_name()
            if side == self.pair.sides[-1]:
                self._check_foreign(process)
        except Violation as error:
            raise Violation(f"{side} ended with {status}: {error}") from None

    def _events_of(self, process: Process) -> set[str]:
        first = process.first_event
        if process.side == "target" and "source" in self.process:
            first = min(first, self.process["source"].first_event)
        events = set(self.events[first:])
        if self.events:
            events.add("any")
        if process.met_full_disk:
            events.add("fill-disk")
        if process.was_killed:
            events.add("killed")
        if process.was_stopped:
            events.add("stopped")
        return events

    def _check_copy(self, process: Process) -> None:
        states, is_device = self.disk.states, self.volume.is_device

        def check(path):
            if path.exists() and find_state(path, states, is_device):
                return ""
            return describe(path, states)

        if process.stable is None:
            raise Violation("there never was a target")
        wrong = self.volume.read_snapshot(process.stable, check)
        if wrong:
            live = check(pathlib.Path(self.volume.dest))
            raise Violation("what is durable equals no state of the source: "
                            f"{wrong}; what can be read now: {live or 'equal'}")

    def _check_refusal(self, target: Process) -> None:
        """The data there is foreign until consent is given."""
        flag = "--yes" if self.volume.is_device else "--overwrite"
        if flag in target.command:
            raise Violation(f"refused in spite of {flag}")
        if not self.volume.is_device and not self._inode():
            raise Violation("refused, and nothing is there")
        self.pair.consent.add(flag)

    def _check_name(self) -> None:
        """A file's name never has anything but what was there, or a copy."""
        path = pathlib.Path(self.volume.dest)
        if self.volume.is_device or self.has_tampered_dest or (
                not path.exists()):
            return
        with path.open("rb") as file:  # the name may get another meanwhile
            self._check_named(pathlib.Path(f"/proc/self/fd/{file.fileno()}"))

    def _check_named(self, path: pathlib.Path) -> None:
        if find_state(path, self.disk.states, False):
            return
        if any(path.read_bytes() == old.read_bytes() for old in self.old):
            return
        raise Violation("the name has a file that is neither the old one nor "
                        f"a copy: {describe(path, self.disk.states)}")

    def _check_foreign(self, process: Process) -> None:
        if process.foreign is None or self.pair.may_overwrite(process.command):
            self.volume.has_foreign_data &= process.status != 0
        elif self.volume.first_bytes() != process.foreign:
            raise Violation("it overwrote foreign data without --yes")

    # ---- the end ----

    def _finish(self) -> None:
        self.network.release()
        self._make_room()
        for _ in range(TRIES):
            # A side that ends from here on is judged after the wait, which it
            # ends: judged before, it would leave the other one to wait alone.
            self._keep_running()
            if all(self.is_done.values()):
                return
            self._wait_any()
            self._judge_ended()
            if all(self.is_done.values()):
                return
        raise Violation(f"not whole after {TRIES} reruns: {self.statuses}")

    @property
    def is_full(self) -> bool:
        """Whether another file takes the volume's space."""
        return self.volume.filler.exists()

    def _make_room(self) -> None:
        if self.is_full:
            self.volume.filler.unlink()
            self.tell("the filler is removed")

    def _wait_any(self) -> None:
        deadline = time.monotonic() + self.programs.longest
        while all(process.is_running for process in self.unjudged.values()):
            if time.monotonic() > deadline:
                raise Violation("neither side ends, in "
                                f"{self.programs.longest:.0f} s")
            time.sleep(0.005)
