"""Sizes as people write them and as tables show them."""

import re

KIB = 1 << 10
MIB = 1 << 20
GIB = 1 << 30

_FACTOR = {"": 1, "K": KIB, "M": MIB, "G": GIB, "T": 1 << 40}


def parse_size(text):
    """"2GiB", "512M", "4096" -> bytes; letters are powers of 1024."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT]?)(?:i?B?)", text.strip())
    if not match:
        raise ValueError(f"not a size: {text!r} (try 512M or 2GiB)")
    return int(float(match[1]) * _FACTOR[match[2]])


def format_size(count):
    """The largest binary unit that keeps the number at one or above."""
    for unit, factor in (("GiB", GIB), ("MiB", MIB), ("KiB", KIB)):
        if count >= factor:
            return f"{count / factor:.4g} {unit}"
    return f"{count} B"
