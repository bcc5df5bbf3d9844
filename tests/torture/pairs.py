"""The programs that make a copy together: how each is started."""

import pathlib
import re
import secrets

LISTENING = re.compile(r"listening on 127\.0\.0\.1:(\d+)")

# The dead are found in time for a scenario where the network goes mute.
SILENT = frozenset({"mute", "stall"})


class Programs:
    """Where the programs are, and the keys that they know each other by."""

    def __init__(self, build: str, certificates: str, longest: float,
                 instead: dict[str, str]):
        self.cmd = f"{build}/cmd"
        self.certificates = certificates
        self.longest = longest  # seconds after which a wait is a hang
        self.instead = instead  # side: program to take
        self.psk = pathlib.Path("psk.txt").absolute()
        self.psk.touch(0o600)
        self.psk.write_text(f"torture:{secrets.token_hex(32)}\n")

    def path(self, side: str, name: str) -> str:
        """The program to start for a side."""
        return self.instead.get(side) or f"{self.cmd}/{name}"

    def pem(self, name: str) -> str:
        """Path of a certificate or key."""
        return f"{self.certificates}/{name}"


class Clonewire:
    """clonewire-source and clonewire-target."""

    sides = ("source", "target")

    def __init__(self, programs: Programs, scenario):
        self.programs = programs
        self.scenario = scenario
        self.source_options = scenario.source_options
        self.target_options = scenario.target_options
        self.consent: set[str] = set()  # what a refusal was answered with

    def honest(self, _side: str, status: int, _said: str) -> int:
        """The status in the words of docs/operations.md."""
        return status

    def may_overwrite(self, command: list[str]) -> bool:
        """Whether a device with foreign data may be written to."""
        return "--yes" in command

    def command(self, side: str, play) -> tuple[list[str], dict[str, str]]:
        """Command line and environment that start a side of a play."""
        make = self._source if side == "source" else self._target
        return make(play), {}

    def _identity(self, side: str) -> list[str]:
        if self.scenario.uses_psk:
            return ["--psk-file", str(self.programs.psk)]
        pem = self.programs.pem
        return ["--cert", pem(f"{side}.crt"), "--key", pem(f"{side}.key"),
                "--ca", pem("ca.crt")]

    def _timeouts(self, retry: str) -> list[str]:
        options = [f"--retry-for={retry}"]
        if SILENT & {step.fault for step in self.scenario.steps}:
            options.append("--dead-peer-timeout=3s")
        return options

    def _image_options(self, play) -> list[str]:
        if self.scenario.image == "qcow2-backing":
            return [f"--allow-backing={play.directory}"]
        return []

    def _source(self, play) -> list[str]:
        job = ["--job-id=torture"] if self.scenario.job_id else []
        return [self.programs.path("source", "clonewire-source"),
                "--connect-timeout=30s", *self._identity("source"),
                *self._timeouts("30s"), *self.source_options, *job,
                *self._image_options(play), play.disk.path(),
                f"127.0.0.1:{play.network.port}"]

    def _target(self, play) -> list[str]:
        flags = self._flags()
        if self.scenario.has_older == "delta":
            flags.add("--delta")
        if self.scenario.has_state_dir:
            flags.add(f"--state-dir={play.state_dir}")
        return [self.programs.path("target", "clonewire-target"),
                "--listen=127.0.0.1:0", *self._identity("target"),
                *self._timeouts("5s"), *self.target_options, *sorted(flags),
                play.volume.dest]

    def _flags(self) -> set[str]:
        flags = set(self.consent)
        if self.scenario.has_yes:
            flags.add("--yes")
        if self.scenario.has_older == "overwrite":
            flags.add("--overwrite")
        return flags


class Local(Clonewire):
    """clonewire-source --to, which is both sides."""

    sides = ("source",)

    def _source(self, play) -> list[str]:
        options = [option for option in self.source_options
                   if option.startswith(("--io-", "--lanes", "--digest"))]
        flags = self._flags()
        return [self.programs.path("source", "clonewire-source"), *options,
                *sorted(flags), *self._image_options(play), play.disk.path(),
                "--to", play.volume.dest]


class Cdi(Clonewire):
    """cdi-cloner and cdi-uploadserver; whole disks, by both protocols."""

    def honest(self, side: str, status: int, said: str) -> int:
        """CDI's programs have one status for any failure; the log says why."""
        if side == "source":
            return 75 if status == 255 else status
        no_room = "does not fit" in said or "No space left" in said
        return 10 if status == 1 and no_room else status

    def may_overwrite(self, _command: list[str]) -> bool:
        """The controller gives the server its volume, whatever is there."""
        return True

    def command(self, side: str, play) -> tuple[list[str], dict[str, str]]:
        pem = self.programs.pem
        log = {"CLONEWIRE_TERMINATION_LOG": f"{play.directory}/{side}.term"}
        if side == "target":
            return [self.programs.path(side, "cdi-uploadserver")], {
                "TLS_KEY_FILE": pem("target.key"),
                "TLS_CERT_FILE": pem("target.crt"),
                "CLIENT_CERT_FILE": pem("ca.crt"), "CLIENT_NAME": "source",
                "LISTEN_ADDRESS": "127.0.0.1", "LISTEN_PORT": "0",
                "DESTINATION": play.volume.dest, **log}
        return [self.programs.path(side, "cdi-cloner")], {
            "CLIENT_KEY": _text(pem("source.key")),
            "CLIENT_CERT": _text(pem("source.crt")),
            "SERVER_CA_CERT": _text(pem("ca.crt")),
            "VOLUME_MODE": "block", "MOUNT_POINT": play.disk.path(),
            "PREALLOCATION": "false", "OWNER_UID": "torture",
            "UPLOAD_URL": f"https://127.0.0.1:{play.network.port}"
                          "/v1beta1/upload",
            "CLONEWIRE_HTTP_ONLY": "true" if self.scenario.job_id else "false",
            "CLONEWIRE_METRICS_LISTEN": "127.0.0.1:0",
            "CLONEWIRE_CONNECT_TIMEOUT": "30s",
            "CLONEWIRE_RETRY_FOR": "30s", **log}


PAIRS = {"clonewire": Clonewire, "local": Local, "cdi": Cdi}


def _text(path: str) -> str:
    return pathlib.Path(path).read_text(encoding="ascii")
