"""What the model demands: of a copy that is called whole, and of a status."""

import os
import pathlib

from source_disk import MIB, SECTOR, State, digest_of


class Violation(Exception):
    """The programs have broken a promise."""


# Statuses of docs/operations.md, and which events in the life of a process
# make each an honest answer.  An empty set: never.
ANY = frozenset({"any"})
CHANGED = frozenset({"change-source", "replace-source", "resize-source"})
HONEST = {
    10: frozenset({"fill-disk"}),
    12: CHANGED,
    13: CHANGED,
    14: CHANGED,
    20: frozenset(),
    21: frozenset(),
    22: ANY,
    30: frozenset({"resize-source"}),
    31: frozenset(),
    40: ANY,
    75: ANY,
}


def disk_size(path: pathlib.Path) -> int:
    """Bytes of a file or device."""
    with open(path, "rb") as file:
        return file.seek(0, os.SEEK_END)


def _is_zero_from(path: pathlib.Path, offset: int) -> bool:
    with open(path, "rb") as file:
        file.seek(offset)
        while piece := file.read(MIB):
            if piece.strip(b"\0"):
                return False
    return True


def is_copy_of(path: pathlib.Path, state: State, is_device: bool) -> bool:
    """Equal in every byte; then zeros to a sector, or to the device's end."""
    size = disk_size(path)
    if size < state.size:
        return False
    if not is_device and size > -(-state.size // SECTOR) * SECTOR:
        return False
    return (digest_of(path, state.size) == state.digest
            and _is_zero_from(path, state.size))


def find_state(path: pathlib.Path, states: list[State],
               is_device: bool) -> State | None:
    """Which of the states path is a copy of, the newest first."""
    for state in reversed(states):
        if is_copy_of(path, state, is_device):
            return state
    return None


def describe(path: pathlib.Path, states: list[State]) -> str:
    """Where path's chunks are from: as much as helps to find the fault."""
    if not path.exists():
        return "there is no copy"
    words = [f"{disk_size(path)} bytes"]
    last = ""
    with open(path, "rb") as copy:
        number = 0
        while piece := copy.read(MIB):
            origin = _origin(piece, number, states)
            if origin != last:
                words.append(f"from chunk {number} on {origin}")
                last = origin
            number += 1
    sizes = ", ".join(f"{state.name} {state.size}" for state in states)
    return "; ".join(words[:40]) + f" (sizes: {sizes})"


def _origin(piece: bytes, number: int, states: list[State]) -> str:
    names = []
    for state in states:
        with open(state.path, "rb") as file:
            file.seek(number * MIB)
            if file.read(MIB).ljust(len(piece), b"\0") == piece:
                names.append(state.name)
    if not piece.strip(b"\0"):
        names.append("zero")
    return "like " + "+".join(names) if names else "like no state"


def check_status(status: int, events: set[str]) -> None:
    """The status of a process in whose life these events have been."""
    if status == 0 or (status == 143 and "stopped" in events):
        return
    if status == 137 and "killed" in events:
        return
    if status not in HONEST:
        raise Violation(f"status {status} is not an honest one")
    causes = HONEST[status]
    if causes is ANY and events:
        return
    if not causes & events:
        raise Violation(f"status {status} without a cause: "
                        f"{', '.join(sorted(events)) or 'nothing'} happened")
