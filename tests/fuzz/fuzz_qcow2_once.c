/* A QCOW2 that comes in order, in one pass: refused, or the bytes that the
 * same image has in a file. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"
#include "image/image.h"
#include "plan/chunk_grid.h"

#define MAX_DISK_BYTES (UINT64_C(24) << 20)

struct body {
    const uint8_t *data;
    size_t len;
    size_t at;
};

/* In pieces of any size: what is data decides. */
static ssize_t give(void *opaque, void *buf, size_t len, struct error *err)
{
    struct body *body = opaque;
    size_t left = body->len - body->at;
    size_t max = 1 + 97 * (size_t)(left ? body->data[body->at] : 0);

    (void)err;
    if (len > max)
        len = max;
    if (len > left)
        len = left;
    memcpy(buf, body->data + body->at, len);
    body->at += len;
    return (ssize_t)len;
}

static struct io_queue *queue(void)
{
    static struct io_queue *only;
    struct error err;

    if (!only)
        assert(io_queue_open(CW_IO_ENGINE_THREADS, 4, NULL, 0, &only, &err) ==
               0);
    return only;
}

static int read_piece(struct image *img, uint8_t *buf, uint64_t offset,
                      size_t len, struct error *err)
{
    struct io io = { .op = IO_READ, .buf = buf, .len = len, .offset = offset };
    struct io *done;

    image_read(img, &io);
    done = io_queue_reap(queue(), true);
    assert(done == &io);
    return io.result < 0 ? image_read_error(img, &io, err) : 0;
}

/* One chunk into buf, which is zero. */
static int read_chunk(struct image *img, uint64_t chunk, uint8_t *buf,
                      struct error *err)
{
    uint64_t base = chunk * CHUNK_BYTES;
    struct extent_list list = { 0 };
    int r = image_map(img, base, chunk_grid_length(img->virtual_bytes, chunk),
                      &list, err);

    for (size_t i = 0; i < list.count && r == 0; i++)
        if (list.items[i].kind == EXTENT_DATA)
            r = read_piece(img, buf + (list.items[i].offset - base),
                           list.items[i].offset, (size_t)list.items[i].length,
                           err);
    extent_list_fini(&list);
    return r;
}

/* The whole disk into disk; names each chunk of it exactly once. */
static int read_once(struct image *img, uint8_t *disk, struct error *err)
{
    uint64_t chunks = chunk_grid_count(img->virtual_bytes), named = 0, chunk;
    static bool seen[MAX_DISK_BYTES / CHUNK_BYTES + 1];
    int r;

    memset(seen, 0, sizeof(seen));
    while ((r = image_next(img, &chunk, err)) > 0) {
        assert(chunk < chunks && !seen[chunk]);
        seen[chunk] = true;
        named++;
        if (read_chunk(img, chunk, disk + chunk * CHUNK_BYTES, err) < 0)
            return -1;
    }
    assert(r < 0 || named == chunks);
    return r < 0 ? -1 : image_finish(img, err);
}

/* The same in a file, as far as it is refused or equal. */
static void compare(const uint8_t *data, size_t len, const uint8_t *disk,
                    uint64_t virtual_bytes)
{
    struct image_options options = { .format = CW_FORMAT_QCOW2 };
    uint8_t *again = calloc(1, CHUNK_BYTES);
    struct image *img;
    struct error err;
    char path[64];
    int fd = memfd_create("fuzz", MFD_CLOEXEC);

    assert(fd >= 0 && again && write(fd, data, len) == (ssize_t)len);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    options.path = path;
    options.queue = queue();
    if (image_open(&options, &img, &err) == 0) {
        assert(img->virtual_bytes == virtual_bytes);
        for (uint64_t i = 0; i < chunk_grid_count(virtual_bytes); i++) {
            memset(again, 0, CHUNK_BYTES);
            if (read_chunk(img, i, again, &err) == 0)
                assert(memcmp(again, disk + i * CHUNK_BYTES,
                              chunk_grid_length(virtual_bytes, i)) == 0);
        }
        image_close(img);
    }
    free(again);
    close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct body body = { data, len, 0 };
    struct byte_source input = { .read = give, .opaque = &body };
    struct image_options options = {
        .path = "fuzz",
        .input = &input,
        .format = CW_FORMAT_QCOW2,
        .takes_any_order = true,
    };
    struct image *first, *img = NULL;
    uint8_t *disk;
    struct error err;

    if (image_open(&options, &first, &err) < 0)
        return 0;
    options.like = first;
    options.queue = queue();
    if (first->virtual_bytes <= MAX_DISK_BYTES &&
        image_open(&options, &img, &err) == 0) {
        disk = calloc(1, first->virtual_bytes + CHUNK_BYTES);
        assert(disk);
        if (read_once(img, disk, &err) == 0)
            compare(data, len, disk, img->virtual_bytes);
        else
            assert(err.kind == ERROR_FORMAT);
        free(disk);
    }
    image_close(img);
    image_close(first);
    return 0;
}
