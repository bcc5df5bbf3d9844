#!/bin/bash
# A libqcow that returns wrong data is detected at the start and not used.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
require qemu-img cc
require_plain_build "a sanitizer wants to be loaded first"

cat >broken.c <<'END'
#include <string.h>
#include <sys/types.h>

/* As a build of 2026 reads a compressed cluster of version 3. */
ssize_t libqcow_file_read_buffer_at_offset(void *file, void *buf, size_t len,
                                           long offset, void **error)
{
    (void)file;
    (void)offset;
    (void)error;
    memset(buf, 0, len);
    return (ssize_t)len;
}
END
cc -shared -fPIC -o broken.so broken.c
make_sparse disk.raw $((4 * MIB))
qemu-img convert -c -O qcow2 disk.raw disk.qcow2

SOURCE_WITH=(--cross-check=10)
clone disk.qcow2 copy.raw
assert_log source '[1-9][0-9]* compared with libqcow'
refute_log source 'reads a small valid image wrong'
rm copy.raw

SOURCE_UNDER=(env "LD_PRELOAD=$PWD/broken.so")
clone disk.qcow2 copy.raw
assert_log source 'not compared with libqcow: libqcow .* reads a small valid image wrong'
assert_same disk.raw copy.raw $((4 * MIB))
