#!/usr/bin/env python3
"""The campaign catches each program that lies, and finds no lie in honest ones.

In an empty directory; CW_BUILD and CERTS as the scripts of fault/ have them.
"""

import os
import pathlib
import subprocess
import sys
import unittest

from scenario import Scenario, draw

HERE = pathlib.Path(__file__).parent
CMD = pathlib.Path(os.environ["CW_BUILD"]) / "cmd"
IS_ROOT = os.geteuid() == 0


def find(wanted) -> int:
    """The first seed whose scenario is wanted."""
    return next(seed for seed in range(100000)
                if wanted(draw(seed, IS_ROOT)))


def is_plain(scenario: Scenario) -> bool:
    """A small disk with data to a new file, and nothing happens."""
    return (scenario.pair == "clonewire"
            and scenario.target == "file" and not scenario.steps
            and not scenario.has_older and scenario.image == "raw"
            and 4096 < scenario.size < 4 << 20 and scenario.data > 4096)


def is_reformatted(scenario: Scenario) -> bool:
    """The target is killed, and a filesystem made there; no --yes."""
    steps = scenario.steps
    return (scenario.pair == "clonewire"
            and scenario.target == "device" and scenario.image == "raw"
            and not scenario.has_yes and scenario.data > 4 << 20 and len(steps) > 1
            and steps[0].fault == "kill-target"
            and steps[0].moment == "bytes" and steps[0].amount < 0.5
            and steps[1].fault == "make-filesystem")


def play(seed: int, lie: str = "", side: str = "target", longest: float = 120
         ) -> tuple[int, str]:
    """Status and words of a campaign of one scenario; with a liar, or none."""
    command = [str(HERE / "run"), "--build", os.environ["CW_BUILD"],
               "--certificates", os.environ["CERTS"],
               "--longest", str(longest), "--only", "0,1", "0", str(seed)]
    if lie:
        command[1:1] = [f"--{side}", str(HERE / "liar")]
    done = subprocess.run(
        command, env={**os.environ, "LIE": lie,
                      "REAL": str(CMD / f"clonewire-{side}")},
        capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


class Campaign(unittest.TestCase):
    """One test for each promise."""

    def assert_caught(self, words: str, seed: int, lie: str, **more) -> None:
        status, said = play(seed, lie, **more)
        self.assertIn(words, said)
        self.assertIn(f"./dev torture 1 {seed}", said)
        self.assertEqual(status, 1)

    def test_honest(self):
        status, said = play(find(is_plain))
        self.assertEqual(status, 0, said)
        self.assertIn("1 scenarios", said)
        self.assertIn("source 0: 1, target 0: 1", said)

    def test_corrupt(self):
        self.assert_caught("like no state", find(is_plain), "corrupt")

    def test_early(self):
        self.assert_caught("equals no state", find(is_plain), "early",
                           side="source")

    def test_crash(self):
        self.assert_caught("status 139", find(is_plain), "crash")

    def test_generic(self):
        self.assert_caught("status 1 is not an honest one", find(is_plain),
                           "generic")

    def test_hang(self):
        self.assert_caught("neither listens nor ends", find(is_plain), "hang",
                           longest=3)

    def test_torn(self):
        self.assert_caught("without a cause", find(is_plain), "torn")

    @unittest.skipUnless(IS_ROOT, "needs root: loop devices")
    def test_late(self):
        self.assert_caught("what can be read now: equal", find(is_plain),
                           "late")

    @unittest.skipUnless(IS_ROOT, "needs root: loop devices")
    def test_unasked(self):
        self.assert_caught("without --yes", find(is_reformatted), "unasked")


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    unittest.main(verbosity=2)
