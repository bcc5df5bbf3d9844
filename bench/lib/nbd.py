"""The NBD peers: nbdkit, nbdcopy and qemu-img over mutual TLS.

Push: the server is at the target and the client reads the disk; pull: the
other way round.  The "best" rows use the options that were fastest for each;
the "default" rows what a manual's example gives, with the flush that
everybody must do.
"""

from .case import HOST
from .contestant import Contestant
from .measure import Plan, Stage

# Requests of 1 MiB and two connections: more of either gained nothing.
_NBDCOPY_BEST = ["-C", "2", "--request-size=1048576"]
_NBDCOPY_ONE = ["-C", "1", "-T", "1", "--request-size=1048576"]
_NBDKIT_LEAVES_NO_CACHE = ["cache=none"]
_PRIORITY_AES128 = "NORMAL:-CIPHER-ALL:+AES-128-GCM"


def _nbdkit(case, port, side, path, options=(), read_only=False, filters=()):
    command = ["nbdkit", "--foreground", "--exit-with-parent", *filters,
               f"--port={port}", f"--ipaddr={HOST}", "--tls=require",
               f"--tls-certificates={case.tls.directory}",
               "--tls-verify-peer", "file", path, *options]
    if read_only:
        command.insert(1, "--readonly")
    return Stage(side, [command], port=port, ends=False)


def _uri(case, port):
    return (f"nbds://{HOST}:{port}/"
            f"?tls-certificates={case.tls.directory}")


class NbdcopyPush(Contestant):
    programs = ("nbdkit", "nbdcopy")
    wants_file = True

    def __init__(self, name, about, copy_options=(), kit_options=(),
                 aes128=False):
        self.name = name
        self.about = about
        self._copy_options = list(copy_options)
        self._kit_options = kit_options
        self._aes128 = aes128

    def plan(self, case):
        port = case.ports.take()
        options = list(self._copy_options)
        if case.reads_zero and options:
            options.append("--destination-is-zero")
        client = Stage("source", [["nbdcopy", "--flush", *options,
                                   case.source, _uri(case, port)]])
        if self._aes128:
            client.environment["GNUTLS_SYSTEM_PRIORITY_FILE"] = (
                case.gnutls_aes128)
        return Plan([client], [_nbdkit(case, port, "target", case.destination,
                                       self._kit_options)])


class NbdcopyPull(Contestant):
    programs = ("nbdkit", "nbdcopy")

    def __init__(self, name, about, copy_options=()):
        self.name = name
        self.about = about
        self._copy_options = copy_options

    def plan(self, case):
        port = case.ports.take()
        client = ["nbdcopy", "--flush", *self._copy_options, _uri(case, port),
                  case.destination]
        server = _nbdkit(case, port, "source", case.source, read_only=True)
        return Plan([Stage("target", [client])], [server])


class QemuImg(Contestant):
    """qemu-img convert, one NBD connection, 16 requests in flight."""

    programs = ("nbdkit", "qemu-img")
    wants_file = True

    def __init__(self, name, about, is_pull, aes128=False):
        self.name = name
        self.about = about
        self._is_pull = is_pull
        self._aes128 = aes128

    def refuses(self, case):
        reads_it = not self._is_pull and case.dataset.format == "qcow2"
        return None if reads_it else super().refuses(case)

    def plan(self, case):
        port = case.ports.take()
        if self._is_pull:
            server = _nbdkit(case, port, "source", case.source,
                             read_only=True)
            ends = ["-t", "none", "--image-opts", self._nbd(port),
                    "-O", "raw", case.destination]
        else:
            server = _nbdkit(case, port, "target", case.destination,
                             _NBDKIT_LEAVES_NO_CACHE)
            ends = ["-T", "none", "-f", case.dataset.format, case.source,
                    "--target-image-opts", self._nbd(port)]
        zero = ["--target-is-zero"] if case.reads_zero else []
        client = ["qemu-img", "convert", "-n", "-W", "-m", "16", *zero,
                  "--object", self._credentials(case), *ends]
        return Plan([Stage("target" if self._is_pull else "source",
                           [client])], [server])

    def _credentials(self, case):
        text = (f"tls-creds-x509,id=tls0,endpoint=client,"
                f"dir={case.tls.directory},verify-peer=yes")
        return f"{text},priority={_PRIORITY_AES128}" if self._aes128 else text

    @staticmethod
    def _nbd(port):
        return (f"driver=raw,file.driver=nbd,file.server.type=inet,"
                f"file.server.host={HOST},file.server.port={port},"
                f"file.tls-creds=tls0")


class NbdkitXzPull(Contestant):
    """An xz file served as what is in it by nbdkit, pulled by nbdcopy."""

    name = "nbdkit-xz-nbdcopy"
    about = "nbdkit --filter=xz exports what is in it, nbdcopy pulls"
    programs = ("nbdkit", "nbdcopy")

    def refuses(self, case):
        return None if case.dataset.format == "xz" else "for xz sources"

    def plan(self, case):
        port = case.ports.take()
        server = _nbdkit(case, port, "source", case.source, read_only=True,
                         filters=["--filter=xz"])
        client = ["nbdcopy", "--flush", *_NBDCOPY_BEST, _uri(case, port),
                  case.destination]
        return Plan([Stage("target", [client])], [server])


class QemuNbdPull(Contestant):
    """A qcow2 served as raw by qemu-nbd, pulled by nbdcopy."""

    name = "qemu-nbd-nbdcopy"
    about = "qemu-nbd exports the qcow2, nbdcopy pulls, 1 MiB x 2"
    programs = ("qemu-nbd", "nbdcopy")

    def refuses(self, case):
        return None if case.dataset.format == "qcow2" else "for qcow2 sources"

    def plan(self, case):
        port = case.ports.take()
        server = ["qemu-nbd", "--read-only", "--persistent", "--shared=4",
                  "--format", case.dataset.format, "--bind", HOST,
                  "--port", str(port), "--cache=none", "--aio=io_uring",
                  "--object", f"tls-creds-x509,id=tls0,endpoint=server,"
                  f"dir={case.tls.directory},verify-peer=yes",
                  "--tls-creds", "tls0", case.source]
        client = ["nbdcopy", "--flush", *_NBDCOPY_BEST, _uri(case, port),
                  case.destination]
        return Plan([Stage("target", [client])],
                    [Stage("source", [server], port=port, ends=False)])


def peers():
    return [
        QemuImg("qemu-img-pull",
                "nbdkit <- qemu-img convert -W -m 16 -t none", is_pull=True),
        QemuImg("qemu-img-pull-aes128", "the same with AES-128-GCM",
                is_pull=True, aes128=True),
        QemuImg("qemu-img-push",
                "qemu-img convert -W -m 16 -T none -> nbdkit cache=none",
                is_pull=False),
        NbdcopyPush("nbdcopy-push",
                    "nbdcopy 1 MiB x 2 -> nbdkit cache=none", _NBDCOPY_BEST,
                    _NBDKIT_LEAVES_NO_CACHE),
        NbdcopyPush("nbdcopy-push-1", "nbdcopy 1 MiB x 1 -> the same",
                    _NBDCOPY_ONE, _NBDKIT_LEAVES_NO_CACHE),
        NbdcopyPush("nbdcopy-push-aes128", "the same with AES-128-GCM",
                    _NBDCOPY_BEST, _NBDKIT_LEAVES_NO_CACHE, aes128=True),
        NbdcopyPush("nbdcopy-push-default", "nbdcopy -> nbdkit, defaults"),
        NbdcopyPull("nbdcopy-pull", "nbdkit <- nbdcopy 1 MiB x 2",
                    _NBDCOPY_BEST),
        NbdcopyPull("nbdcopy-pull-1", "nbdkit <- nbdcopy 1 MiB x 1",
                    _NBDCOPY_ONE),
        NbdcopyPull("nbdcopy-pull-default", "nbdkit <- nbdcopy, defaults"),
        QemuNbdPull(),
        NbdkitXzPull(),
    ]
