"""What one seed means: a disk, its format, a target, options and faults."""

import dataclasses
import random

from source_disk import MIB

# How a step is timed.  "dead": at once, while the target does not run.
MOMENTS = ("bytes", "time", "named", "log")


@dataclasses.dataclass
class Step:
    """One fault; moment says when, amount is a share or a number of ms."""

    fault: str
    moment: str
    amount: float
    seed: int

    def __str__(self) -> str:
        when = {"bytes": f"when {self.amount:.0%} of the data have passed",
                "time": f"{self.amount * 250:.0f} ms later",
                "named": "when the copy has its name",
                "log": "when the target is flushing",
                "dead": "while the target is down"}[self.moment]
        return f"{self.fault} {when} (seed {self.seed})"


@dataclasses.dataclass
class Scenario:
    """Everything that a run needs to know, drawn from the seed alone."""

    seed: int
    size: int
    data: int
    pair: str  # clonewire, local, cdi
    image: str
    target: str  # file, device
    has_older: str  # "", "overwrite", "delta"
    has_state_dir: bool
    has_yes: bool
    uses_psk: bool
    job_id: bool
    source_options: list[str]
    target_options: list[str]
    steps: list[Step]

    def lines(self) -> list[str]:
        """The scenario in words, one step a line."""
        head = [f"seed {self.seed}: {self.pair}, {self.size} bytes, "
                f"{self.image}, "
                f"to a {self.target}"
                + (f", {self.has_older}" if self.has_older else "")
                + (", --state-dir" if self.has_state_dir else "")
                + (", --yes" if self.has_yes else ""),
                "  source: " + " ".join(self.source_options),
                "  target: " + " ".join(self.target_options)]
        return head + [f"  {number}. {step}"
                       for number, step in enumerate(self.steps)]


# What cdi-cloner moves as a block volume; on a loop device only as root.
CDI_IMAGES = {True: ("raw", "raw-loop"), False: ("raw",)}


def draw(seed: int, is_root: bool) -> Scenario:
    """The scenario of a seed."""
    rng = random.Random(seed)
    pair = rng.choices(("clonewire", "local", "cdi"), (8, 1, 1))[0]
    image = rng.choice(("raw", "raw", "raw", "raw-loop", "gz", "xz", "qcow2",
                        "qcow2-small", "qcow2-zlib", "qcow2-zstd",
                        "qcow2-backing"))
    target = rng.choice(("file", "file", "device"))
    if not is_root:
        image = image.replace("raw-loop", "raw")
        target = "file"
    has_older = rng.choice(("", "", "", "overwrite", "delta"))
    if pair == "cdi":
        image, has_older = rng.choice(CDI_IMAGES[is_root]), ""
    elif pair == "local" and has_older == "delta":
        has_older = "overwrite"
    size = _size(rng)
    if image == "raw-loop" or pair == "cdi":
        size = max(512, size // 512 * 512)
    scenario = Scenario(
        seed=seed, pair=pair, size=size, data=_data(rng, size, image), image=image,
        target=target, has_older=has_older,
        has_state_dir=rng.random() < (0.5 if target == "device" else 0.2),
        has_yes=has_older != "" or rng.random() < 0.5,
        uses_psk=rng.random() < 0.5, job_id=rng.random() < 0.3,
        source_options=source_options(rng), target_options=target_options(rng),
        steps=[])
    scenario.steps = _steps(rng, scenario)
    return scenario


def _size(rng: random.Random) -> int:
    kind = rng.random()
    if kind < 0.08:
        return rng.choice((0, 1, 511, 512, 513, 4095, 4096, 65537, MIB - 1))
    if kind < 0.2:
        return rng.randrange(1, MIB)
    if kind < 0.9:
        size = rng.randrange(MIB, 32 * MIB)
    else:
        size = rng.randrange(32 * MIB, 96 * MIB)
    return rng.choice((size, size // 512 * 512, size // MIB * MIB))


def _data(rng: random.Random, size: int, image: str) -> int:
    data = int(size * rng.choice((0, 0.05, 0.3, 0.3, 0.7, 1.2)))
    is_packed = image in ("gz", "xz", "qcow2-zlib", "qcow2-zstd")
    return min(data, 6 * MIB) if is_packed else data  # packing takes its time


def source_options(rng: random.Random) -> list[str]:
    """Options of the source, as a person might give them."""
    options = [f"--lanes={rng.choice((1, 1, 2, 3))}",
               f"--io-engine={rng.choice(('threads', 'auto'))}",
               f"--resume={rng.choice(('auto', 'auto', 'off', 'trust'))}"]
    options += _maybe(rng, 0.3, "--compress=zstd", "--compress=off")
    options += _maybe(rng, 0.3, "--io-mode=buffered", "--io-mode=auto")
    options += _maybe(rng, 0.2, "--digest-algorithm=sha256")
    return options


def target_options(rng: random.Random) -> list[str]:
    """Options of the target, as a person might give them."""
    resume = rng.choice(("auto", "auto", "auto", "compare", "trust", "off"))
    options = [f"--lanes={rng.choice((1, 2, 3))}",
               f"--io-engine={rng.choice(('threads', 'auto'))}",
               f"--checkpoint-every={rng.choice(('100ms', '100ms', '2s'))}",
               f"--resume={resume}"]
    options += _maybe(rng, 0.3, "--verify=readback")
    options += _maybe(rng, 0.3, "--preallocate=falloc", "--preallocate=full",
                      "--preallocate=auto")
    options += _maybe(rng, 0.3, "--io-mode=buffered", "--io-mode=auto")
    options += _maybe(rng, 0.3, "--overcommit")
    return options


def _maybe(rng: random.Random, share: float, *options: str) -> list[str]:
    return [rng.choice(options)] if rng.random() < share else []


# What can happen to a target's volume, record and source while it is down.
WHILE_DOWN = {
    "file": ("tamper-copy", "tamper-copy", "tamper-record", "roll-back",
             "recreate", "change-source", "replace-source", "resize-source",
             "other-options", "fill-disk"),
    "device": ("tamper-copy", "tamper-copy", "tamper-record", "roll-back",
               "recreate", "make-filesystem", "change-source",
               "replace-source", "resize-source", "other-options"),
}

WHILE_RUNNING = (
    "kill-source", "kill-source", "term-source", "term-target", "cut", "cut",
    "cut-lane", "stall", "mute", "change-source", "replace-source",
    "resize-source", "fill-disk",
)

KILLS = ("kill-target", "kill-target", "kill-both", "term-target",
         "power-cut")


def _steps(rng: random.Random, scenario: Scenario) -> list[Step]:
    steps: list[Step] = []
    for _ in range(rng.choice((0, 1, 1, 2, 2, 3, 4))):
        if rng.random() < 0.6:
            steps.append(_timed(rng, rng.choice(KILLS)))
            for _ in range(rng.choice((0, 1, 1, 2))):
                fault = rng.choice(WHILE_DOWN[scenario.target])
                steps.append(Step(fault, "dead", 0, rng.randrange(1 << 30)))
        else:
            steps.append(_timed(rng, rng.choice(WHILE_RUNNING)))
    return steps


def _timed(rng: random.Random, fault: str) -> Step:
    moment = rng.choices(MOMENTS, (6, 2, 1, 1))[0]
    amount = rng.random()
    if moment == "time":
        amount = amount * amount * 2  # quarters of a second
    return Step(fault, moment, round(amount, 3), rng.randrange(1 << 30))
