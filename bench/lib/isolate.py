"""Keeps the rest of the machine out of the numbers.

An own session, so that the scheduler's autogroup weighs us against others as
one group; raised above them where we may.  An own network namespace, so that
the loopback counters are ours alone, ports cannot clash, and the congestion
control is the same for everybody: some systems default to bbr, which paces
even on loopback and costs up to 40 %.  cubic where the system lets a
namespace choose it (net.ipv4.tcp_allowed_congestion_control), else reno,
which every user may choose; without loss they do the same.
"""

import contextlib
import ctypes
import fcntl
import os
import signal
import socket
import struct

CONGESTION = ("cubic", "reno")

CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000
SIOCGIFFLAGS = 0x8913
SIOCSIFFLAGS = 0x8914
IFF_UP = 1

_CONGESTION_FILE = "/proc/sys/net/ipv4/tcp_congestion_control"


def in_own_session(body):
    """Runs body() in a child that leads a session; returns its exit status.

    The parent stays in the terminal's session and passes signals on.
    """
    pid = os.fork()
    if pid == 0:
        os.setsid()
        os._exit(_guarded(body))
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda n, _frame: _pass_on(pid, n))
    while True:
        with contextlib.suppress(InterruptedError):
            _, status = os.waitpid(pid, 0)
            return os.waitstatus_to_exitcode(status) & 0xFF


def _pass_on(pid, number):
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def _guarded(body):
    """body() with Python's own endings kept: messages, cleanup, status."""
    import sys
    import traceback

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda n, _frame: sys.exit(128 + n))
    status = 1
    try:
        status = body()
    except SystemExit as end:
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
        else:
            status = end.code or 0
    except KeyboardInterrupt:
        status = 130
    except BaseException:  # the status is all that leaves this process
        traceback.print_exc()
    with contextlib.suppress(OSError):
        sys.stdout.flush()
    sys.stderr.flush()
    return status


def raise_priority():
    """Returns what was done about the scheduler, for the record."""
    try:
        with open("/proc/self/autogroup", "w", encoding="ascii") as file:
            file.write("-20")
        return "own session, autogroup nice -20"
    except FileNotFoundError:
        pass  # kernel without autogroup: plain nice counts
    except OSError:
        return "own session (raising its autogroup needs root)"
    try:
        os.nice(-20)
        return "own session, nice -20"
    except OSError:
        return "own session (raising its priority needs root)"


def own_network():
    """Moves this process into a network namespace of its own.

    Returns (own, text): whether it worked, and a line for the record.
    """
    try:
        _unshare_network()
        _loopback_up()
    except OSError as error:
        return False, (f"no own network namespace ({error.strerror}): wire "
                       "bytes count everything on loopback; congestion "
                       f"control {congestion()}")
    _choose_congestion()
    return True, f"own network namespace, congestion control {congestion()}"


def congestion():
    with open(_CONGESTION_FILE, encoding="ascii") as file:
        return file.read().strip()


def _choose_congestion():
    for name in CONGESTION:
        with contextlib.suppress(OSError):
            with open(_CONGESTION_FILE, "w", encoding="ascii") as file:
                file.write(name)
            return


def _unshare(flags):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(flags) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _unshare_network():
    """As root directly, else inside a user namespace that maps us to us."""
    uid, gid = os.getuid(), os.getgid()
    if uid == 0:
        _unshare(CLONE_NEWNET)
        return
    _unshare(CLONE_NEWUSER | CLONE_NEWNET)
    for name, text in (("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"),
                       ("gid_map", f"{gid} {gid} 1")):
        with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
            file.write(text)


def _loopback_up():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        request = struct.pack("16sH14x", b"lo", 0)
        answer = fcntl.ioctl(sock, SIOCGIFFLAGS, request)
        flags = struct.unpack("16sH14x", answer)[1]
        fcntl.ioctl(sock, SIOCSIFFLAGS,
                    struct.pack("16sH14x", b"lo", flags | IFF_UP))
