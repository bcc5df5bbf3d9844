"""clonewire with checkpoints, and gone on with after both ends were killed."""

import os
import subprocess
import time

from .clonewire import Clonewire
from .measure import Failed
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
    it are in the checkpoint; what is measured is the rest of it."""

    _JOB = "--job-id=bench"
    _RATE = "--rate=512MiB"
    _HEAD_BYTES = 2416  # of the record, before digests of 16 bytes
    _PATIENCE_S = 120.0

    def refuses(self, case):
        return "needs a file as its target" if case.target.is_block else None

    def plan(self, case):
        self._leave_begun(case)
        plan = super().plan(case)
        plan.clients[0].pipe[0].append(self._JOB)
        return plan

    def _leave_begun(self, case):
        begin = super().plan(case)
        begin.servers[0].pipe[0].append("--checkpoint-every=100ms")
        begin.clients[0].pipe[0].extend([self._JOB, self._RATE])
        processes = [self._start(begin.servers[0]),
                     self._start(begin.clients[0])]
        try:
            self._wait_recorded(case, processes)
        finally:
            for process in processes:
                process.kill()
                process.wait()

    @staticmethod
    def _start(stage):
        return subprocess.Popen(stage.pipe[0], stdin=subprocess.DEVNULL,
                                stdout=subprocess.DEVNULL,
                                stderr=subprocess.DEVNULL)

    def _wait_recorded(self, case, processes):
        directory, name = os.path.split(case.destination)
        record = os.path.join(directory, f".{name}.clonewire-state")
        wanted = self._HEAD_BYTES + 16 * (case.virtual_bytes // MIB * 9 // 10)
        deadline = time.monotonic() + self._PATIENCE_S
        while not os.path.exists(record) or os.path.getsize(record) < wanted:
            if any(p.poll() is not None for p in processes):
                raise Failed("the clone that was to be killed has ended")
            if time.monotonic() > deadline:
                raise Failed("no checkpoint was made")
            time.sleep(0.005)


def contestants(build):
    return [
        Clonewire("clonewire-sha256", "--digest-algorithm=sha256", build,
                  ["--digest-algorithm=sha256"]),
        Checkpointing("clonewire-checkpoints", "one every second", build),
        Resuming("clonewire-resume", "killed at nine tenths, and again",
                 build),
        Resuming("clonewire-resume-trust", "the same with --resume=trust",
                 build, ["--resume=trust"]),
    ]
