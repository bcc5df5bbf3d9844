/* read_image.h - reads a whole image through map and ring, as a lane does,
 * and compares it with a plain file of the same disk. */
#ifndef CW_TESTS_READ_IMAGE_H
#define CW_TESTS_READ_IMAGE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/iszero.h"
#include "image/image.h"
#include "plan/chunk_grid.h"

#define READER_DEPTH 4U

struct reader {
    struct io_queue *queue;
    struct image *first; /* without a ring */
    struct image *image;
    uint64_t data_bytes; /* that the map called data */
    struct {
        struct io io;
        uint8_t *buf; /* one chunk, aligned for direct I/O */
        bool is_busy;
    } slots[READER_DEPTH];
    const uint8_t *want; /* the whole disk; NULL: read, compare nothing */
};

static inline void reader_close(struct reader *reader)
{
    io_queue_close(reader->queue);
    image_close(reader->image);
    image_close(reader->first);
    for (unsigned i = 0; i < READER_DEPTH; i++)
        free(reader->slots[i].buf);
}

/* Opens twice, as a source does: once for itself, once for its lane. */
static inline int reader_open(struct reader *reader,
                              const struct image_options *wish,
                              struct error *err)
{
    struct image_options options = *wish;

    *reader = (struct reader){ 0 };
    for (unsigned i = 0; i < READER_DEPTH; i++)
        reader->slots[i].buf = aligned_alloc(4096, CHUNK_BYTES);
    if (image_open(&options, &reader->first, err) < 0 ||
        io_queue_open(CW_IO_ENGINE_AUTO, 8, NULL, 0, &reader->queue, err) < 0)
        return -1;
    options.queue = reader->queue;
    options.like = reader->first;
    return image_open(&options, &reader->image, err);
}

/* Takes back one read and compares it. */
static inline int reader_reap(struct reader *reader, struct error *err)
{
    struct io *io = io_queue_reap(reader->queue, true);

    for (unsigned i = 0; i < READER_DEPTH; i++)
        if (&reader->slots[i].io == io)
            reader->slots[i].is_busy = false;
    if (io->result < 0)
        return image_read_error(reader->image, io, err);
    if (reader->want &&
        memcmp(io->buf, reader->want + io->offset, io->len) != 0)
        return error_set_at(err, ERROR_MISMATCH, 0, io->offset,
                            "%zu bytes at %ju differ", io->len,
                            (uintmax_t)io->offset);
    return 0;
}

static inline int reader_start(struct reader *reader, uint64_t offset,
                               size_t len, struct error *err)
{
    for (;;) {
        for (unsigned i = 0; i < READER_DEPTH; i++) {
            if (reader->slots[i].is_busy)
                continue;
            reader->slots[i].is_busy = true;
            memset(reader->slots[i].buf, 0xa5, len);
            reader->slots[i].io = (struct io){
                .op = IO_READ,
                .buf = reader->slots[i].buf,
                .len = len,
                .offset = offset,
            };
            image_read(reader->image, &reader->slots[i].io);
            return 0;
        }
        if (reader_reap(reader, err) < 0)
            return -1;
    }
}

static inline int reader_finish(struct reader *reader, struct error *err)
{
    while (io_queue_in_flight(reader->queue) > 0)
        if (reader_reap(reader, err) < 0)
            return -1;
    return 0;
}

static inline int reader_extent(struct reader *reader, const struct extent *e,
                                struct error *err)
{
    uint64_t at = e->offset, end = e->offset + e->length;

    if (e->kind == EXTENT_ZERO) {
        if (reader->want && !iszero(reader->want + at, (size_t)e->length))
            return error_set_at(err, ERROR_MISMATCH, 0, at,
                                "the hole of %ju bytes at %ju is not zero",
                                (uintmax_t)e->length, (uintmax_t)at);
        return 0;
    }
    reader->data_bytes += e->length;
    while (at < end) {
        uint64_t chunk_end = (at / CHUNK_BYTES + 1) * CHUNK_BYTES;
        uint64_t stop = chunk_end < end ? chunk_end : end;

        if (reader_start(reader, at, (size_t)(stop - at), err) < 0)
            return -1;
        at = stop;
    }
    return 0;
}

/*
 * Maps and reads all of it.  want: what every byte must be, or NULL.
 * Returns 0, or -1 with ERROR_MISMATCH or what the image said.
 */
static inline int reader_run(struct reader *reader, const uint8_t *want,
                             struct error *err)
{
    uint64_t size = reader->image->virtual_bytes;
    struct extent_list list = { 0 };
    uint64_t at = 0;
    int r;

    reader->want = want;
    reader->data_bytes = 0;
    r = size ? image_map(reader->image, 0, size, &list, err) : 0;
    for (size_t i = 0; i < list.count && r == 0; i++) {
        if (list.items[i].offset != at)
            r = error_set(err, ERROR_MISMATCH, 0, "the map has a gap");
        else
            r = reader_extent(reader, &list.items[i], err);
        at += list.items[i].length;
    }
    if (r == 0 && at != size)
        r = error_set(err, ERROR_MISMATCH, 0, "the map is not the disk");
    extent_list_fini(&list);
    return r < 0 ? r : reader_finish(reader, err);
}

#endif
