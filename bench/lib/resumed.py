"""clonewire with checkpoints, gone on with after both ends were killed, and
over an older copy of the disk."""

import dataclasses
import os
import random
import signal
import subprocess
import time

from .clonewire import Clonewire
from .measure import Failed, Plan, Stage
from .units import MIB


class Checkpointing(Clonewire):
    """On a block device, where there are none without a place for them."""

    def plan(self, case):
        plan = super().plan(case)
        plan.servers[0].pipe[0].extend([
            "--state-dir", os.path.dirname(case.target.content_path()),
            "--checkpoint-every=1s"])
        return plan


class Resuming(Clonewire):
    """Both ends of a clone are killed before the clock, when nine tenths of
    it are in the checkpoint; what is measured is the rest of it.  It begins
    without the slow link that the rest may go over.

    is_stopped: the target is asked to end, and so nothing is written after
    its last checkpoint, which --resume=trust needs."""

    _JOB = "--job-id=bench"
    _RATE, _SLOW_RATE = "512MiB", "64MiB"
    _FRAME_BYTES = 3000  # of the record, around digests of 16 bytes
    _PATIENCE_S = 120.0

    def __init__(self, name, about, build, options=(), is_stopped=False):
        super().__init__(name, about, build, options)
        self._is_stopped = is_stopped

    def refuses(self, case):
        return "needs a file as its target" if case.target.is_block else None

    def plan(self, case):
        self._leave_begun(dataclasses.replace(case, link=None))
        plan = super().plan(case)
        plan.clients[0].pipe[0].append(self._JOB)
        return plan

    def _leave_begun(self, case):
        begin = super().plan(case)
        begin.servers[0].pipe[0].append("--checkpoint-every=100ms")
        rate_file = os.path.join(os.path.dirname(case.destination), "rate")
        _write(rate_file, self._RATE)
        begin.clients[0].pipe[0].extend([self._JOB, "--rate-file", rate_file])
        processes = [self._start(begin.servers[0]),
                     self._start(begin.clients[0])]
        try:
            # Slow from seven tenths on, so that it lives at nine.
            self._wait_recorded(case, processes, 7)
            _write(rate_file, self._SLOW_RATE)
            processes[1].send_signal(signal.SIGHUP)
            self._wait_recorded(case, processes, 9)
            if self._is_stopped:
                processes[0].terminate()
                processes[0].wait(self._PATIENCE_S)
        finally:
            for process in processes:
                process.kill()
                process.wait()
            os.unlink(rate_file)

    @staticmethod
    def _start(stage):
        return subprocess.Popen(stage.pipe[0], stdin=subprocess.DEVNULL,
                                stdout=subprocess.DEVNULL,
                                stderr=subprocess.DEVNULL)

    def _wait_recorded(self, case, processes, tenths):
        directory, name = os.path.split(case.destination)
        record = os.path.join(directory, f".{name}.clonewire-state")
        chunks = case.virtual_bytes // MIB * tenths // 10
        wanted = self._FRAME_BYTES + 16 * chunks
        deadline = time.monotonic() + self._PATIENCE_S
        while not os.path.exists(record) or os.path.getsize(record) < wanted:
            if any(p.poll() is not None for p in processes):
                raise Failed("the clone that was to be killed has ended")
            if time.monotonic() > deadline:
                raise Failed("no checkpoint was made")
            time.sleep(0.005)


def _write(path, text):
    with open(path, "w", encoding="ascii") as file:
        file.write(text + "\n")


class Delta(Clonewire):
    """Over a copy that was made before the clock, and is not in the page
    cache.  changed: every n-th piece differs; 0: none.  piece:
    bytes of it; smaller ones lie anywhere."""

    def __init__(self, name, about, build, changed=0, piece=MIB):
        super().__init__(name, about, build, ["--delta"])
        self._changed = changed
        self._piece = piece

    def refuses(self, case):
        return "needs a file as its target" if case.target.is_block else None

    def plan(self, case):
        self._leave_copy(case)
        return super().plan(case)

    def _leave_copy(self, case):
        subprocess.run(["cp", "--sparse=always", case.source,
                        case.destination], check=True)
        with open(case.destination, "r+b") as copy:
            size = os.fstat(copy.fileno()).st_size
            for at in self._pieces(size):
                copy.seek(at)
                copy.write((b"older" * self._piece)[:self._piece])
            copy.flush()
            os.fsync(copy.fileno())
            os.posix_fadvise(copy.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)

    def _pieces(self, size):
        count = size // self._piece
        if not self._changed:
            return []
        if self._piece == MIB:
            return range(0, size, self._changed * MIB)
        chosen = random.Random(1).sample(range(count), count // self._changed)
        return [at * self._piece for at in sorted(chosen)]


class Reading(Delta):
    """The older copy is only read, and digested."""

    copies = False

    def plan(self, case):
        self._leave_copy(case)
        return Plan([Stage("target", [[self._target, "--digest",
                                       case.destination]])])


def contestants(build):
    return [
        Clonewire("clonewire-sha256", "--digest-algorithm=sha256", build,
                  ["--digest-algorithm=sha256"]),
        Checkpointing("clonewire-checkpoints", "one every second", build),
        Resuming("clonewire-resume", "killed at nine tenths, and again",
                 build),
        Resuming("clonewire-resume-trust", "the same with --resume=trust",
                 build, ["--resume=trust"], is_stopped=True),
        Delta("clonewire-delta", "over an equal copy", build),
        Delta("clonewire-delta-1%", "over one with 1 % changed", build, 100),
        Delta("clonewire-delta-4k", "over one with 1 % of its blocks changed",
              build, 100, 4096),
        Reading("clonewire-digest", "the copy is only read", build),
    ]
