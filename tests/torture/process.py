"""One of the programs while it runs, and how it ended."""

import os
import pathlib
import signal
import subprocess
import threading
import time


class Process:
    """A program that has been started; on_exit runs at the moment it ends.

    on_exit is called with the process, in a thread of its own, before any
    wait() here returns.
    """

    def __init__(self, side: str, command: list[str], log: pathlib.Path,
                 env: dict[str, str], on_exit):
        self.side = side
        self.command = command
        self.log = log
        self.status: int | None = None  # as a shell tells it: 128 + signal
        self.was_killed = False
        self.was_stopped = False  # asked to end, by SIGTERM
        self.start = time.monotonic()
        with open(log, "ab") as out:
            self._popen = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                env={**os.environ, **env}, start_new_session=True)
        self.pid = self._popen.pid
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._reap, args=(on_exit,),
                                        daemon=True)
        self._thread.start()

    def _reap(self, on_exit) -> None:
        status = self._popen.wait()
        self.status = status if status >= 0 else 128 - status
        try:
            on_exit(self)
        finally:
            self._ended.set()

    @property
    def is_alive(self) -> bool:
        """False from the moment of its end on."""
        return self.status is None

    @property
    def is_running(self) -> bool:
        """False once it has ended, and on_exit has, too."""
        return not self._ended.is_set()

    def wait(self, seconds: float) -> bool:
        """Waits for the end; false where there is none in this time."""
        return self._ended.wait(seconds)

    def kill(self, sig: int) -> None:
        """Sends it a signal, unless it has ended."""
        if self.is_alive:
            self.was_killed |= sig == signal.SIGKILL
            self.was_stopped |= sig == signal.SIGTERM
            try:
                os.killpg(self.pid, sig)
            except ProcessLookupError:
                pass

    def text(self) -> str:
        """What it has printed so far."""
        return self.log.read_text(errors="replace")
