"""KubeVirt CDI's contract by HTTP: our two programs, and a stand-in for CDI's
own, in Go, by the libraries that those are built with."""

import os
import subprocess

from .contestant import KIND_CLONEWIRE, Contestant
from .measure import Failed, Plan, Stage
from .tls import CLIENT_NAME

_UPLOAD = "/v1beta1/upload"
_GOPATH = "/usr/share/gocode"  # of Debian's packages of libraries
_SNAPPY = os.path.join(_GOPATH, "src/github.com/golang/snappy")
_PACKAGES = "golang-go golang-github-golang-snappy-dev"
_STANDIN = os.path.join(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))), "standin", "main.go")


def _refuses(case):
    """CDI sends a raw disk and listens on this machine alone here."""
    if case.link:
        return "not over a link"
    if case.dataset.format != "raw":
        return f"sends {case.dataset.format} as it is"
    return None


class CdiHttp(Contestant):
    """cdi-cloner to cdi-uploadserver, by HTTP: as either meets CDI's own."""

    name = "cdi-http"
    about = "cdi-cloner to cdi-uploadserver, by HTTP alone"
    kind = KIND_CLONEWIRE

    def __init__(self, build):
        self._cloner = os.path.join(build, "cmd", "cdi-cloner")
        self._server = os.path.join(build, "cmd", "cdi-uploadserver")

    def missing(self):
        for path in (self._cloner, self._server):
            if not os.access(path, os.X_OK):
                return f"{path} is not built"
        return None

    def refuses(self, case):
        return _refuses(case)

    def plan(self, case):
        port = case.ports.take()
        return Plan(
            [Stage("source", [[self._cloner]],
                   environment=self._cloner_settings(case, port))],
            [Stage("target", [[self._server]], port=port,
                   environment=self._server_settings(case, port))])

    @staticmethod
    def _cloner_settings(case, port):
        tls = case.tls
        return {"VOLUME_MODE": "block", "MOUNT_POINT": case.source,
                "CLIENT_KEY": _text(tls.client_key),
                "CLIENT_CERT": _text(tls.client_cert),
                "SERVER_CA_CERT": _text(tls.ca), "OWNER_UID": "bench",
                "UPLOAD_URL": f"https://{case.host}:{port}{_UPLOAD}",
                "CLONEWIRE_HTTP_ONLY": "true",
                "CLONEWIRE_METRICS_LISTEN": f"{case.host}:0",
                "CLONEWIRE_TERMINATION_LOG": "/dev/null"}

    @staticmethod
    def _server_settings(case, port):
        tls = case.tls
        return {"TLS_KEY_FILE": tls.server_key,
                "TLS_CERT_FILE": tls.server_cert,
                "CLIENT_CERT_FILE": tls.ca, "CLIENT_NAME": CLIENT_NAME,
                "LISTEN_ADDRESS": case.host, "LISTEN_PORT": str(port),
                "DESTINATION": case.destination,
                "TLS_MIN_VERSION": "VersionTLS13",
                "CLONEWIRE_TERMINATION_LOG": "/dev/null"}

    def versions(self):
        return {}


class Standin(Contestant):
    """What CDI's contract says of its programs: bench/standin/main.go.  It is
    built when it first takes part."""

    name = "standin"
    about = "a stand-in for CDI's own programs, in Go"
    programs = ("go",)

    def __init__(self, build):
        self._directory = os.path.join(build, "bench")
        self._program = os.path.join(self._directory, "standin")
        self._is_built = False

    def missing(self):
        absent = super().missing()
        if absent is None and not os.path.isdir(_SNAPPY):
            absent = f"{_SNAPPY} not installed"
        return f"{absent} (packages {_PACKAGES})" if absent else None

    def refuses(self, case):
        return _refuses(case)

    def plan(self, case):
        self._build()
        port = case.ports.take()
        tail = [str(port), case.tls.directory]
        return Plan(
            [Stage("source", [[self._program, "send", *tail, case.source]])],
            [Stage("target", [[self._program, "receive", *tail,
                               case.destination]], port=port)])

    def _build(self):
        if self._is_built:
            return
        environment = dict(
            os.environ, GO111MODULE="off", GOPATH=_GOPATH,
            GOCACHE=os.path.join(self._directory, "go-cache"))
        done = subprocess.run(["go", "build", "-o", self._program, _STANDIN],
                              capture_output=True, text=True, check=False,
                              env=environment)
        if done.returncode != 0:
            raise Failed(f"go build: {done.stderr.strip()}")
        self._is_built = True

    def versions(self):
        return {"go": ["go", "version"]}


def _text(path):
    with open(path, encoding="ascii") as file:
        return file.read()
