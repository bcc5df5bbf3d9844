"""What every contestant is, and the search for programs."""

import os
import shutil

SEARCH_PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"

KIND_CLONEWIRE = "clonewire"
KIND_PEER = "peer"  # moves a disk over mutually authenticated TLS, as we do
KIND_LIMIT = "limit"  # what the machine allows: no TLS
KIND_NETWORK = "network"  # what the link allows: no disk either
KIND_FLOOR = "floor"  # a local copy, for scale


class Contestant:
    """A way to copy a disk.

    name: in tables and for --peer.  slow: much slower than the others;
    runs only when asked for.  wants_file: needs the target file to exist.
    copies: leaves a copy that can be checked.
    """

    name = ""
    about = ""
    kind = KIND_PEER
    slow = False
    wants_file = False
    copies = True
    programs = ()

    def missing(self):
        """None when it can run here, else why not."""
        absent = [p for p in self.programs
                  if not shutil.which(p, path=SEARCH_PATH)]
        return f"{', '.join(absent)} not installed" if absent else None

    def refuses(self, case):
        """None when it can do this case, else why not."""
        if case.dataset.format != "raw":
            return f"cannot read {case.dataset.format}"
        return None

    def is_slow(self, _case):
        return self.slow

    def plan(self, case):
        """The processes to start: a measure.Plan."""
        raise NotImplementedError

    def versions(self):
        """Commands whose first line of output says the version."""
        return {p: [p, "--version"] for p in self.programs}
