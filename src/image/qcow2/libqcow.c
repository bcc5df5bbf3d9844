#include "image/qcow2/libqcow.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * Makes libqcow.h declare the functions with a libbfio handle.  Link libqcow
 * alone: it brings and exports its own libbfio, and two copies would be mixed.
 */
#define HAVE_LIBBFIO 1
#include <libbfio.h>
#include <libqcow.h>

#include "base/bytes.h"

struct qcow2_libqcow {
    const struct image_host *host;
    uint64_t position;
    bool is_open;
    libbfio_handle_t *handle;
    libqcow_file_t *file;
};

/* ---- I/O of libqcow: our open host ---- */

static struct qcow2_libqcow *self(intptr_t *io_handle)
{
    return (struct qcow2_libqcow *)(void *)io_handle;
}

static int on_free(intptr_t **io_handle, libbfio_error_t **error)
{
    (void)error;
    *io_handle = NULL; /* qcow2_libqcow_close() owns it */
    return 1;
}

static int on_clone(intptr_t **to, intptr_t *from, libbfio_error_t **error)
{
    (void)to;
    (void)from;
    (void)error;
    return -1;
}

static int on_open(intptr_t *io_handle, int flags, libbfio_error_t **error)
{
    (void)flags;
    (void)error;
    self(io_handle)->is_open = true;
    return 1;
}

static int on_close(intptr_t *io_handle, libbfio_error_t **error)
{
    (void)error;
    self(io_handle)->is_open = false;
    return 0;
}

static ssize_t on_read(intptr_t *io_handle, uint8_t *buf, size_t len,
                       libbfio_error_t **error)
{
    struct qcow2_libqcow *libqcow = self(io_handle);
    uint64_t size_bytes = libqcow->host->size_bytes;
    struct error ignored;

    (void)error;
    if (libqcow->position >= size_bytes)
        return 0;
    if (len > size_bytes - libqcow->position)
        len = (size_t)(size_bytes - libqcow->position);
    if (libqcow->host->read(libqcow->host->opaque, buf, len, libqcow->position,
                            &ignored) < 0)
        return -1;
    libqcow->position += len;
    return (ssize_t)len;
}

static ssize_t on_write(intptr_t *io_handle, const uint8_t *buf, size_t len,
                        libbfio_error_t **error)
{
    (void)io_handle;
    (void)buf;
    (void)len;
    (void)error;
    return -1;
}

static off64_t on_seek(intptr_t *io_handle, off64_t offset, int whence,
                       libbfio_error_t **error)
{
    struct qcow2_libqcow *libqcow = self(io_handle);

    (void)error;
    if (whence == SEEK_CUR)
        offset += (off64_t)libqcow->position;
    else if (whence == SEEK_END)
        offset += (off64_t)libqcow->host->size_bytes;
    if (offset < 0)
        return -1;
    libqcow->position = (uint64_t)offset;
    return offset;
}

static int on_exists(intptr_t *io_handle, libbfio_error_t **error)
{
    (void)io_handle;
    (void)error;
    return 1;
}

static int on_is_open(intptr_t *io_handle, libbfio_error_t **error)
{
    (void)error;
    return self(io_handle)->is_open ? 1 : 0;
}

static int on_get_size(intptr_t *io_handle, size64_t *size,
                       libbfio_error_t **error)
{
    (void)error;
    *size = self(io_handle)->host->size_bytes;
    return 1;
}

/* ---- the library ---- */

bool qcow2_libqcow_knows(const struct qcow2_header *header)
{
    /* Lazy refcounts are the only compatible bit that it supports. */
    return header->compression == QCOW2_ZLIB && header->subclusters == 1 &&
           header->header_bytes <= 112 &&
           (header->compatible & ~UINT64_C(1)) == 0;
}

struct qcow2_libqcow *qcow2_libqcow_open(const struct image_host *host)
{
    struct qcow2_libqcow *libqcow = calloc(1, sizeof(*libqcow));

    if (!libqcow)
        return NULL;
    libqcow->host = host;
    if (libbfio_handle_initialize(&libqcow->handle, (intptr_t *)(void *)libqcow,
                                  on_free, on_clone, on_open, on_close, on_read,
                                  on_write, on_seek, on_exists, on_is_open,
                                  on_get_size, 0, NULL) == 1 &&
        libqcow_file_initialize(&libqcow->file, NULL) == 1 &&
        libqcow_file_open_file_io_handle(libqcow->file, libqcow->handle,
                                         LIBQCOW_OPEN_READ, NULL) == 1)
        return libqcow;
    qcow2_libqcow_close(libqcow);
    return NULL;
}

void qcow2_libqcow_close(struct qcow2_libqcow *libqcow)
{
    if (!libqcow)
        return;
    if (libqcow->file)
        libqcow_file_free(&libqcow->file, NULL);
    if (libqcow->handle)
        libbfio_handle_free(&libqcow->handle, NULL);
    free(libqcow);
}

bool qcow2_libqcow_read(struct qcow2_libqcow *libqcow, uint8_t *buf, size_t len,
                        uint64_t offset)
{
    return libqcow_file_read_buffer_at_offset(
               libqcow->file, buf, len, (off64_t)offset, NULL) == (ssize_t)len;
}

/* ---- the small image ---- */

/* Clusters of 512 bytes: header, L1, L2, a plain one, and a compressed one
 * that begins at an odd byte, which libqcow of 2026 reads wrong. */
#define SMALL_CLUSTER ((size_t)512)
#define PLAIN_AT      (3 * SMALL_CLUSTER)
#define PACKED_AT     (4 * SMALL_CLUSTER + 1)
#define SMALL_BYTES   (6 * SMALL_CLUSTER)

static int small_read(void *opaque, void *buf, size_t len, uint64_t offset,
                      struct error *err)
{
    const uint8_t *small = opaque;

    if (offset > SMALL_BYTES || len > SMALL_BYTES - offset)
        return error_set(err, ERROR_FORMAT, 0, "beyond the end");
    memcpy(buf, small + offset, len);
    return 0;
}

static void small_make(uint8_t small[SMALL_BYTES],
                       uint8_t want[2 * SMALL_CLUSTER])
{
    /* A deflate stream of one stored block: last, length, its complement. */
    static const uint8_t stored[] = { 1, 0x00, 0x02, 0xff, 0xfd };

    for (size_t i = 0; i < 2 * SMALL_CLUSTER; i++)
        want[i] = (uint8_t)(1 + i % 251);

    memset(small, 0, SMALL_BYTES);
    put_be32(small, UINT32_C(0x514649fb)); /* "QFI", 0xfb */
    put_be32(small + 4, 3);
    put_be32(small + 20, 9); /* cluster bits */
    put_be64(small + 24, UINT64_C(2) * SMALL_CLUSTER);
    put_be32(small + 36, 1); /* L1 entries */
    put_be64(small + 40, SMALL_CLUSTER);
    put_be32(small + 96, 4);
    put_be32(small + 100, 104);
    put_be64(small + SMALL_CLUSTER, UINT64_C(1) << 63 | 2 * SMALL_CLUSTER);
    put_be64(small + 2 * SMALL_CLUSTER, UINT64_C(1) << 63 | PLAIN_AT);
    /* Compressed, one sector more: bit 61 counts it at this cluster size. */
    put_be64(small + 2 * SMALL_CLUSTER + 8,
             UINT64_C(1) << 62 | UINT64_C(1) << 61 | PACKED_AT);
    memcpy(small + PLAIN_AT, want, SMALL_CLUSTER);
    memcpy(small + PACKED_AT, stored, sizeof(stored));
    memcpy(small + PACKED_AT + sizeof(stored), want + SMALL_CLUSTER,
           SMALL_CLUSTER);
}

bool qcow2_libqcow_works(char *why, size_t why_len)
{
    uint8_t small[SMALL_BYTES], want[2 * SMALL_CLUSTER];
    uint8_t got[2 * SMALL_CLUSTER] = { 0 };
    struct image_host host = { small_read, small, SMALL_BYTES };
    struct qcow2_libqcow *libqcow;
    bool works = true;

    small_make(small, want);
    libqcow = qcow2_libqcow_open(&host);
    for (size_t at = 0; at < sizeof(got) && libqcow && works;
         at += SMALL_CLUSTER)
        works = qcow2_libqcow_read(libqcow, got + at, SMALL_CLUSTER, at);
    qcow2_libqcow_close(libqcow);
    works = works && libqcow && memcmp(got, want, sizeof(got)) == 0;
    snprintf(why, why_len, "libqcow %s %s", libqcow_get_version(),
             works ? "works" : "reads a small valid image wrong");
    return works;
}
