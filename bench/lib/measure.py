"""Runs one contestant once and measures it.

Servers are started first and must be listening before the clock starts; it
stops when every client has ended and the target has been fdatasync'ed.  CPU
and peak memory come from wait4(2) of each process, children included, made
by bench-launch (see there); without it by ourselves, and then peaks below
our own cannot be seen.  Kernel threads (loop workers, writeback) are in
no account of a process and have a column of their own; what is then left of the
machine's busy time was spent by neighbours.
"""

import os
import select
import signal
import subprocess
import time
from dataclasses import dataclass, field

SIDES = ("source", "target")
START_TIMEOUT_S = 10.0
STOP_TIMEOUT_S = 10.0

_PF_KTHREAD = 0x00200000
_TICKS = os.sysconf("SC_CLK_TCK")


class Failed(Exception):
    """The contestant did not do its work; the text says what it printed."""


@dataclass
class Stage:
    """A process, or a pipe of them, on one side.

    ends: a server that ends by itself when the work is done (a target, a
    receiving pipe) is waited for; another is stopped after the clock.
    """

    side: str
    pipe: list  # of argument lists
    port: int | None = None  # listens here when it is up
    ends: bool = True
    environment: dict = field(default_factory=dict)


@dataclass
class Plan:
    """What one contestant starts for one case."""

    clients: list
    servers: list = field(default_factory=list)
    network: str = "/proc/self/net"  # of the namespace the servers are in


@dataclass
class Sample:
    """One run."""

    wall_s: float
    cpu_s: dict  # by side
    rss_bytes: dict  # by side; processes of a side added up
    kernel_cpu_s: float  # kernel threads, for any process
    machine_cpu_s: float  # everybody
    wire_bytes: int
    allocated_bytes: int = 0
    difference: str | None = None
    said: list = field(default_factory=list)  # last lines of both ends


@dataclass
class Tools:
    """launcher: path of bench-launch, or None."""

    launcher: str | None
    log_directory: str


def execute(plan, sync, tools, timeout_s):
    """Runs plan and returns its Sample.  Raises Failed; leaves no process."""
    running = []
    try:
        servers = [_start(s, tools, running) for s in plan.servers]
        for server in servers:
            server.wait_listening(plan.network)
        wire, kernel, machine = _counters(plan.network)
        begin = time.monotonic()
        clients = [_start(s, tools, running) for s in plan.clients]
        deadline = begin + timeout_s
        for stage in [*clients, *(s for s in servers if s.stage.ends)]:
            stage.wait(deadline)
        sync()
        wall_s = time.monotonic() - begin
        after = _counters(plan.network)
        sample = Sample(wall_s, {}, {}, after[1] - kernel,
                        after[2] - machine, after[0] - wire)
        for server in servers:
            server.stop()
    except Failed as error:
        raise Failed(_with_others(error, running)) from None
    finally:
        for stage in running:
            stage.kill()
    for side in SIDES:
        ended = [p for s in running if s.stage.side == side
                 for p in s.processes]
        sample.cpu_s[side] = sum(p.cpu_s for p in ended)
        sample.rss_bytes[side] = sum(p.rss_bytes for p in ended)
    sample.said = [line for s in running for line in s.last_lines(3)]
    return sample


def _with_others(error, running):
    """The error, and what the other processes had to say: often the cause."""
    lines = [f"{r.stage.side}: {line}" for r in running
             for line in r.last_lines(1) if line not in str(error)]
    return "; ".join([str(error), *lines])


def _counters(network):
    return wire_bytes(network), kernel_cpu(), machine_cpu()


def wire_bytes(network):
    """Bytes so far on the wire of a network namespace, headers included: on
    lo, or in and out of the link where there is one."""
    received, sent = {}, {}
    with open(f"{network}/dev", encoding="ascii") as file:
        for line in file.readlines()[2:]:
            name, _, numbers = line.partition(":")
            fields = numbers.split()
            received[name.strip()] = int(fields[0])
            sent[name.strip()] = int(fields[8])
    if "link0" in received:
        return received["link0"] + sent["link0"]
    return received.get("lo", 0)


def kernel_cpu():
    """Seconds that kernel threads have used so far."""
    ticks = 0
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat", encoding="utf-8",
                      errors="replace") as file:
                fields = file.read().rpartition(")")[2].split()
        except OSError:
            continue  # it has just ended
        if int(fields[6]) & _PF_KTHREAD:
            ticks += int(fields[11]) + int(fields[12])
    return ticks / _TICKS


def machine_cpu():
    """Seconds all CPUs were busy: user, nice, system, irq, softirq."""
    with open("/proc/stat", encoding="ascii") as file:
        user, nice, system, _idle, _iowait, irq, softirq = (
            int(n) for n in file.readline().split()[1:8])
    return (user + nice + system + irq + softirq) / _TICKS


def _start(stage, tools, running):
    started = _Running(stage, tools, len(running))
    running.append(started)
    started.start()
    return started


class _Process:
    """One command; its account is complete once reap() returned True."""

    def __init__(self, command, launcher, **popen_options):
        self.cpu_s = 0.0
        self.rss_bytes = 0
        self.status = None
        self._report = None
        if not launcher:
            self.popen = subprocess.Popen(command, **popen_options)
            return
        self._report, theirs = os.pipe()
        try:
            self.popen = subprocess.Popen(
                [launcher, str(theirs), *command], pass_fds=[theirs],
                **popen_options)
        finally:
            os.close(theirs)

    def reap(self, timeout_s):
        """False when it still runs after timeout_s."""
        if self.status is not None:
            return True
        pid_fd = os.pidfd_open(self.popen.pid)
        try:
            if not select.select([pid_fd], [], [], max(timeout_s, 0))[0]:
                return False
        finally:
            os.close(pid_fd)
        _, status, usage = os.wait4(self.popen.pid, 0)
        self.status = os.waitstatus_to_exitcode(status)
        self.popen.returncode = self.status
        self.cpu_s = usage.ru_utime + usage.ru_stime
        self.rss_bytes = usage.ru_maxrss * 1024
        if self._report is not None:
            self._take_report()
        return True

    def kill(self):
        """At once, and waited for."""
        # SIGUSR1: the launcher kills the command and takes its account.
        self.popen.send_signal(signal.SIGUSR1 if self._report is not None
                               else signal.SIGKILL)
        if not self.reap(STOP_TIMEOUT_S):
            self.popen.kill()
            self.reap(STOP_TIMEOUT_S)

    def _take_report(self):
        with os.fdopen(self._report, encoding="ascii") as file:
            words = file.read().split()
        self._report = None
        if len(words) == 4:  # else the launcher was killed
            status, user_us, system_us, peak_kib = map(int, words)
            self.status = status
            self.cpu_s = (user_us + system_us) / 1e6
            self.rss_bytes = peak_kib * 1024


class _Running:
    """The processes of one stage."""

    def __init__(self, stage, tools, number):
        self.stage = stage
        self.processes = []
        self._launcher = tools.launcher
        self._log = os.path.join(tools.log_directory,
                                 f"{number}-{stage.side}.log")

    def start(self):
        environment = {k: v for k, v in os.environ.items()
                       if not k.startswith("CLONEWIRE_")}
        environment.update(self.stage.environment, LC_ALL="C")
        before = subprocess.DEVNULL
        with open(self._log, "wb") as log:
            for number, command in enumerate(self.stage.pipe):
                is_last = number == len(self.stage.pipe) - 1
                try:
                    process = _Process(
                        command, self._launcher, stdin=before, stderr=log,
                        stdout=log if is_last else subprocess.PIPE,
                        env=environment)
                except OSError as error:
                    raise Failed(f"{command[0]}: {error.strerror}") from None
                finally:
                    if before != subprocess.DEVNULL:
                        before.close()
                self.processes.append(process)
                before = process.popen.stdout

    def wait_listening(self, network):
        if self.stage.port is None:
            return
        deadline = time.monotonic() + START_TIMEOUT_S
        while not _listening(self.stage.port, network):
            for process in self.processes:
                if process.reap(0):
                    raise Failed(self._story("ended before it listened"))
            if time.monotonic() > deadline:
                raise Failed(self._story("does not listen"))
            time.sleep(0.005)

    def wait(self, deadline):
        for process in self.processes:
            if not process.reap(deadline - time.monotonic()):
                raise Failed(self._story("ran out of time"))
        for process, command in zip(self.processes, self.stage.pipe):
            if process.status != 0:
                raise Failed(self._story(
                    f"{os.path.basename(command[0])} exit status "
                    f"{process.status}"))

    def stop(self):
        """A server's orderly end, so that its account is complete."""
        for process in self.processes:
            if not process.reap(0):
                process.popen.send_signal(signal.SIGTERM)
        for process in self.processes:
            process.reap(STOP_TIMEOUT_S)

    def kill(self):
        for process in self.processes:
            if not process.reap(0):
                process.kill()

    def last_lines(self, count):
        with open(self._log, encoding="utf-8", errors="replace") as file:
            lines = [line.strip() for line in file if line.strip()]
        return lines[-count:]

    def _story(self, what):
        return ": ".join([f"{self.stage.side}: {what}", *self.last_lines(2)])


def _listening(port, network):
    """Is there a listener here?  Read from the kernel: connecting would
    be a client that the server then has to throw out."""
    suffix = f":{port:04X}"
    for name in ("tcp", "tcp6"):
        try:
            with open(f"{network}/{name}", encoding="ascii") as file:
                for line in file.readlines()[1:]:
                    local, _, state = line.split()[1:4]
                    if local.endswith(suffix) and state == "0A":
                        return True
        except FileNotFoundError:
            continue  # IPv6 switched off
    return False
