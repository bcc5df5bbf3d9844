"""Is the copy equal to the disk, byte for byte?  Holes are skipped, not read.

Reads are O_DIRECT where possible, so that checking does not change the page
cache the next run will meet, and several at a time, as disks want them.
"""

import concurrent.futures
import ctypes
import errno
import mmap
import os

from .units import MIB

_BUFFER_BYTES = 2 * MIB
_READERS = 4
_libc = ctypes.CDLL(None)
_libc.memcmp.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t]


def difference(truth, copy, size):
    """None when the first size bytes agree, else a line that says where."""
    with _Reader(truth) as left, _Reader(copy) as right:
        for reader, path in ((left, truth), (right, copy)):
            if reader.size < size:
                return f"{path} has {reader.size} of {size} bytes"
        ranges = _union(left.data(size), right.data(size))
    pieces = [(at, min(_BUFFER_BYTES, end - at)) for begin, end in ranges
              for at in range(begin, end, _BUFFER_BYTES)]
    with concurrent.futures.ThreadPoolExecutor(_READERS) as pool:
        found = pool.map(lambda mine: _compare(truth, copy, mine),
                         (pieces[n::_READERS] for n in range(_READERS)))
        at = min((at for at in found if at is not None), default=None)
    return None if at is None else (
        f"differs from the disk within {_BUFFER_BYTES} bytes at {at}")


def _compare(truth, copy, pieces):
    """Where the first piece that differs begins, or None."""
    with _Reader(truth) as left, _Reader(copy) as right:
        for begin, length in pieces:
            left.fill(begin, length)
            right.fill(begin, length)
            if _libc.memcmp(left.address, right.address, length):
                return begin
    return None


def allocated(path):
    """Bytes the file takes on its filesystem."""
    return os.stat(path).st_blocks * 512


def data_ranges(fd, size):
    """(begin, end) of everything that is not a hole, ascending."""
    position = 0
    while position < size:
        try:
            begin = os.lseek(fd, position, os.SEEK_DATA)
        except OSError as error:
            if error.errno == errno.ENXIO:
                return
            yield (position, size)  # no holes known here
            return
        if begin >= size:
            return
        position = min(os.lseek(fd, begin, os.SEEK_HOLE), size)
        yield (begin, position)


def _union(left, right):
    """Merges two ascending lists of ranges, widened to whole pages."""
    merged = []
    for begin, end in sorted([*left, *right]):
        begin -= begin % mmap.PAGESIZE
        if merged and begin <= merged[-1][1]:
            merged[-1][1] = max(merged[-1][1], end)
        else:
            merged.append([begin, end])
    return merged


class _Reader:
    def __init__(self, path):
        try:
            self._fd = os.open(path, os.O_RDONLY | os.O_DIRECT)
        except OSError:
            self._fd = os.open(path, os.O_RDONLY)
        self.size = os.lseek(self._fd, 0, os.SEEK_END)
        self._buffer = mmap.mmap(-1, _BUFFER_BYTES)
        self._export = ctypes.c_char.from_buffer(self._buffer)
        self.address = ctypes.addressof(self._export)

    def __enter__(self):
        return self

    def __exit__(self, *_exception):
        del self._export
        self._buffer.close()
        os.close(self._fd)

    def data(self, size):
        return list(data_ranges(self._fd, size))

    def fill(self, offset, length):
        """Reads [offset, offset+length) to the front of the buffer."""
        # O_DIRECT wants whole blocks; the file's end may cut the last one.
        wanted = -(-length // mmap.PAGESIZE) * mmap.PAGESIZE
        done = 0
        with memoryview(self._buffer) as view:
            while done < length:
                with view[done:wanted] as rest:
                    count = os.preadv(self._fd, [rest], offset + done)
                if count == 0:
                    raise OSError(errno.EIO, "file ended while checking it")
                done += count
