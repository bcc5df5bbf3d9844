#!/usr/bin/python3
"""scatter.py FILE BYTES COUNT SEED: overwrites COUNT pieces of BYTES, each at
a different multiple of BYTES, anywhere in FILE, with noise."""
import os
import random
import sys


def main():
    path, piece, count, seed = sys.argv[1], *map(int, sys.argv[2:])
    chance = random.Random(seed)
    with open(path, "r+b", buffering=0) as file:
        size = file.seek(0, os.SEEK_END)
        for at in sorted(chance.sample(range(size // piece), count)):
            os.pwrite(file.fileno(), chance.randbytes(piece), at * piece)


if __name__ == "__main__":
    main()
