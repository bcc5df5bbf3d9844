"""A slow, long link between the two ends, made by bench-slow-link.

Source and target then live in network namespaces of their own, with the
system's default congestion control, as a user would have it.
"""

import contextlib
import os
import select
import shutil
import subprocess
from dataclasses import dataclass

from .contestant import SEARCH_PATH
from .datasets import Unavailable

NEAR = "198.18.0.1"  # the source
FAR = "198.18.0.2"  # the target
_START_TIMEOUT_S = 10.0


@dataclass(frozen=True)
class Shape:
    """rate of each direction; round_trip_ms without load; queue: what may
    wait at the slow point before packets are lost."""

    rate_mbit: int
    round_trip_ms: int
    queue_kib: int

    def __str__(self):
        return (f"{self.rate_mbit} Mbit/s, {self.round_trip_ms} ms round "
                f"trip, {self.queue_kib} KiB queue")


class Link:
    """Two namespaces, as long as it is open."""

    def __init__(self, build, shape):
        program = os.path.join(build, "bench", "bench-slow-link")
        if not os.access(program, os.X_OK):
            raise Unavailable(f"{program} is not built")
        self._nsenter = shutil.which("nsenter", path=SEARCH_PATH)
        if not self._nsenter:
            raise Unavailable("nsenter not installed")
        self._process = subprocess.Popen(
            [program, str(shape.rate_mbit), str(shape.round_trip_ms // 2),
             str(shape.queue_kib)], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            self._namespaces = dict(zip(("source", "target"), self._paths()))
        except BaseException:
            self.close()
            raise
        # It stays in the target's namespace: its own view is that one.
        self._network = f"/proc/{self._process.pid}/net"

    def _paths(self):
        out = self._process.stdout
        words = []
        if select.select([out], [], [], _START_TIMEOUT_S)[0]:
            words = out.readline().split()
        if words[:1] == ["ready"]:
            return words[1:]
        self._process.kill()
        why = self._process.communicate()[1].strip()
        raise Unavailable(f"no link: {why or 'it does not start'}")

    def place(self, plan):
        """Has every process of plan run at its end of the link."""
        for stage in [*plan.clients, *plan.servers]:
            enter = [self._nsenter,
                     f"--net={self._namespaces[stage.side]}", "--"]
            stage.pipe = [[*enter, *command] for command in stage.pipe]
        plan.network = self._network
        return plan

    def close(self):
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()
        self._process.communicate()
