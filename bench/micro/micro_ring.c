/*
 * micro_ring.c - what the ring adds to a read, with each engine.
 *
 * Reads a file that is in the page cache through the buffered descriptor, so
 * that no disk is measured: 4 KiB reads show the cost of a request, 1 MiB
 * reads how little of it is left at the size clonewire uses.
 */
#include "micro.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "io/buffer_pool.h"
#include "io/file.h"
#include "io/io_queue.h"
#include "plan/chunk_grid.h"

#define DEPTH      8U
#define FILE_BYTES (UINT64_C(64) << 20)
#define SMALL      4096U
#define BATCHES    5

struct reader {
    struct file file;
    struct io_queue *queue;
    struct buffer_pool *pool;
    uint64_t offset;
};

/* Nameless, so that nothing is left behind: path is through our own fd. */
static void make_file(char *path, size_t len)
{
    char name[] = "/dev/shm/clonewire-micro.XXXXXX";
    uint8_t *data = micro_memory(CHUNK_BYTES);
    int fd = mkstemp(name);

    micro_require(fd >= 0, "temporary file");
    unlink(name);
    snprintf(path, len, "/proc/self/fd/%d", fd);
    micro_fill(data, CHUNK_BYTES);
    for (uint64_t at = 0; at < FILE_BYTES; at += CHUNK_BYTES)
        micro_require(pwrite(fd, data, CHUNK_BYTES, (off_t)at) ==
                          (ssize_t)CHUNK_BYTES,
                      "write");
    free(data);
}

static void submit(struct reader *r, struct io *io, size_t len)
{
    uint8_t *buf = io->buf;

    memset(io, 0, sizeof(*io));
    io->op = IO_READ;
    io->file = &r->file;
    io->buf = buf;
    io->len = len;
    io->offset = r->offset;
    r->offset = (r->offset + len) % FILE_BYTES;
    io_queue_submit(r->queue, io);
}

/* Nanoseconds for count reads, DEPTH in flight. */
static uint64_t read_many(struct reader *r, size_t len, uint64_t count)
{
    struct io ios[DEPTH] = { 0 };
    uint64_t begin = clock_now_ns();
    uint64_t sent = 0;

    r->offset = 0;
    for (unsigned i = 0; i < DEPTH; i++) {
        ios[i].buf = buffer_pool_lease(r->pool);
        if (sent < count) {
            submit(r, &ios[i], len);
            sent++;
        }
    }
    for (struct io *io; (io = io_queue_reap(r->queue, true)) != NULL;) {
        micro_require(io->result == 0, "read");
        if (sent < count) {
            submit(r, io, len);
            sent++;
        }
    }
    for (unsigned i = 0; i < DEPTH; i++)
        buffer_pool_return(r->pool, ios[i].buf);
    return clock_now_ns() - begin;
}

static void measure(struct reader *r, const char *engine, size_t len,
                    uint64_t normal)
{
    uint64_t count = micro_iterations(normal);
    bool is_counted = micro_iterations(0) > 0;
    uint64_t best = UINT64_MAX;
    char name[64];

    snprintf(name, sizeof(name), "ring.%s-read-%zuk", engine, len >> 10);
    if (!micro_wants(name))
        return;
    for (unsigned i = 0; i < (is_counted ? 1 : BATCHES); i++) {
        uint64_t took = read_many(r, len, count);

        best = took < best ? took : best;
    }
    micro_print(name, (double)best / (double)count, (double)len);
}

static void measure_engine(enum cw_io_engine engine, const char *path)
{
    struct reader r = { .file = FILE_CLOSED };
    struct error err = { 0 };
    size_t region_len;
    void *region;

    micro_require(file_open(&r.file, path, O_RDONLY, 0, CW_IO_MODE_BUFFERED) ==
                      0,
                  "open");
    r.pool = buffer_pool_open(DEPTH, CHUNK_BYTES);
    micro_require(r.pool != NULL, "pool");
    region = buffer_pool_region(r.pool, &region_len);
    if (io_queue_open(engine, DEPTH, region, region_len, &r.queue, &err) < 0) {
        fprintf(stderr, "micro: %s: %s\n", io_queue_engine_name(engine),
                err.text);
    } else {
        measure(&r, io_queue_engine_name(engine), SMALL, 20000);
        measure(&r, io_queue_engine_name(engine), CHUNK_BYTES, 512);
        io_queue_close(r.queue);
    }
    buffer_pool_close(r.pool);
    file_close(&r.file);
}

int main(int argc, char **argv)
{
    char path[32];

    micro_begin(argc, argv);
    make_file(path, sizeof(path));
    measure_engine(CW_IO_ENGINE_URING, path);
    measure_engine(CW_IO_ENGINE_THREADS, path);
    return 0;
}
