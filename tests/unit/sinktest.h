/*
 * sinktest.h - a sink driven as a lane does, with a ring that finishes every
 * write at once.
 */
#ifndef CW_TESTS_SINKTEST_H
#define CW_TESTS_SINKTEST_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sink/sink.h"
#include "unit.h"

#define MIB UINT64_C(1048576)

/* Errno that the next write fails with, or 0. */
static int ring_failure;

/* In place of io/io_queue.c's: no more of its symbols are used by a sink. */
void io_queue_post(struct io_queue *queue, struct io *io, int result)
{
    (void)queue;
    io->result = result;
}

void io_queue_submit(struct io_queue *queue, struct io *io)
{
    int fd = file_fd_for(io->file, io->buf, io->len, io->offset);

    (void)queue;
    io->result = -ring_failure;
    if (ring_failure == 0 &&
        pwrite(fd, io->buf, io->len, (off_t)io->offset) != (ssize_t)io->len)
        io->result = -errno;
    ring_failure = 0;
}

static inline int sink_put(struct sink_lane *lane, uint64_t offset, size_t len,
                           uint8_t byte, struct error *err)
{
    struct io io = { .op = IO_WRITE, .len = len, .offset = offset };
    int r;

    io.buf = aligned_alloc(4096, (len + 4095) & ~(size_t)4095);
    assert_non_null(io.buf);
    memset(io.buf, byte, len);
    sink_write(lane, &io);
    r = sink_written(lane, &io, err);
    free(io.buf);
    return r;
}

/* A disk of 'D' for data_bytes, then zeros, to its end. */
static inline int sink_fill(struct sink *sink, uint64_t data_bytes,
                            uint64_t disk_bytes, struct error *err)
{
    struct sink_lane *lane = sink_lane_open(sink, NULL);
    int r = 0;

    assert_non_null(lane);
    if (data_bytes > 0)
        r = sink_put(lane, 0, data_bytes, 'D', err);
    for (uint64_t at = data_bytes; r == 0 && at < disk_bytes;) {
        uint64_t now = disk_bytes - at < MIB ? disk_bytes - at : MIB;

        r = sink_zero(lane, at, now, err);
        at += now;
    }
    if (r == 0)
        r = sink_lane_finish(lane, err);
    sink_lane_close(lane);
    return r;
}

/* Opens, fills, finishes and commits: a whole clone.  0 or -1. */
static inline int sink_clone(const struct sink_options *options,
                             uint64_t data_bytes, uint64_t disk_bytes,
                             struct sink_report *report, struct error *err)
{
    struct sink *sink = NULL;
    int r = sink_open(options, &sink, err);

    if (r == 0)
        r = sink_prepare(sink, disk_bytes, err);
    if (r == 0)
        r = sink_fill(sink, data_bytes, disk_bytes, err);
    if (r == 0)
        r = sink_finish(sink, err);
    if (r == 0)
        r = sink_commit(sink, err);
    if (sink && report)
        sink_get_report(sink, report);
    sink_close(sink);
    return r;
}

static inline void assert_error(int r, const struct error *err,
                                enum error_kind kind, const char *part)
{
    assert_int_equal(r, -1);
    if (err->kind != kind || !strstr(err->text, part))
        fail_msg("%s: %s; wanted %s: %s", error_kind_name(err->kind), err->text,
                 error_kind_name(kind), part);
}

#endif
