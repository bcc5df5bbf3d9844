#include "transfer/chunk_writer.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "record/digest.h"

int chunk_writer_open(struct chunk_writer *writer, struct cw_job *job,
                      struct sink *sink, struct io_context *io,
                      struct error *err)
{
    writer->job = job;
    writer->sink = sink;
    writer->io = io;
    writer->lane = sink_lane_open(sink, io->queue);
    if (!writer->lane)
        return error_set(err, ERROR_SYSTEM, ENOMEM, "start writing");
    return 0;
}

/* Adds [begin, end) of the chunk to the runs to write. */
static void add_run(struct chunk_write *write, size_t begin, size_t end)
{
    struct io *last = write->count ? &write->runs[write->count - 1] : NULL;

    if (last && last->buf + last->len == write->buf + begin) {
        last->len += end - begin;
        return;
    }
    write->runs[write->count++] = (struct io){
        .op = IO_WRITE,
        .buf = write->buf + begin,
        .len = end - begin,
        .offset = write->index * CHUNK_BYTES + begin,
        .owner = write,
    };
}

/* Divides the chunk into runs to write and zeros for the sink. */
static int plan_writes(struct chunk_writer *writer, struct chunk_write *write,
                       const struct chunk *chunk, struct error *err)
{
    uint64_t min = sink_zero_min(writer->sink);
    uint64_t offset = chunk->index * CHUNK_BYTES;
    size_t count = block_set_count(chunk->len), end;

    for (size_t at = 0; at < chunk->len; at = end) {
        size_t block = at / BLOCK_BYTES;
        bool is_zero = block_set_has(&chunk->zero, block);

        end = block_set_run_end(&chunk->zero, block, count) * BLOCK_BYTES;
        if (end > chunk->len)
            end = chunk->len;
        if (!is_zero)
            write->data_bytes += end - at;
        if (is_zero && end - at < min && chunk->blank != 0)
            memset(write->buf + at, 0, end - at);
        if (!is_zero || end - at < min)
            add_run(write, at, end);
        else if (sink_zero(writer->lane, offset + at, end - at, err) < 0)
            return -1;
    }
    return 0;
}

/* Leaves out the runs that are on the disk already. */
static void drop_held(struct chunk_writer *writer, struct chunk_write *write)
{
    uint64_t held_bytes = 0;
    unsigned count = 0;

    for (unsigned i = 0; i < write->count; i++)
        if (sink_holds(writer->lane, &write->runs[i]))
            held_bytes += write->runs[i].len;
        else
            write->runs[count++] = write->runs[i];
    write->count = count;
    if (held_bytes > write->data_bytes) /* short zeros among them */
        held_bytes = write->data_bytes;
    write->data_bytes -= held_bytes;
    progress_add(&writer->job->status.progress.resumed_bytes, held_bytes);
}

/* The chunk is on the disk, though not yet safe from a power cut. */
static void finish_write(struct chunk_writer *writer, struct chunk_write *write)
{
    struct progress *progress = &writer->job->status.progress;

    progress_add(&progress->data_bytes, write->data_bytes);
    progress_add(&progress->handled_bytes, write->mapped_bytes);
    buffer_pool_return(writer->io->pool, TAKE_PTR(write->buf));
}

static struct chunk_write *find_free_write(struct chunk_writer *writer)
{
    struct chunk_write *write = writer->writes;

    while (write->buf) {
        write++; /* there are as many as buffers */
        assert(write < writer->writes + JOB_BUFFERS_PER_LANE);
    }
    return write;
}

int chunk_writer_put(struct chunk_writer *writer, struct chunk *chunk,
                     struct error *err)
{
    struct digest *digest = writer->job->status.digest;
    struct chunk_write *write = find_free_write(writer);
    uint8_t leaves[DIGEST_LEAVES_BYTES];

    chunk_find_zero(chunk);
    digest_leaves(digest, chunk->buf, chunk->len, 0, chunk->blank, leaves);
    digest_add_leaves(digest, chunk->index, leaves);
    write->buf = TAKE_PTR(chunk->buf);
    write->index = chunk->index;
    write->mapped_bytes = chunk->mapped_bytes;
    write->data_bytes = 0;
    write->count = 0;
    if (plan_writes(writer, write, chunk, err) < 0)
        return -1;
    progress_add(&writer->job->status.progress.zero_bytes,
                 chunk->len - write->data_bytes);
    drop_held(writer, write);
    write->writing = write->count;
    if (write->count == 0)
        finish_write(writer, write);
    for (unsigned i = 0; i < write->writing; i++)
        sink_write(writer->lane, &write->runs[i]);
    return 0;
}

int chunk_writer_put_zero(struct chunk_writer *writer, uint64_t offset,
                          uint64_t length, struct error *err)
{
    progress_add(&writer->job->status.progress.zero_bytes, length);
    return sink_zero(writer->lane, offset, length, err);
}

int chunk_writer_written(struct chunk_writer *writer, struct io *io,
                         struct error *err)
{
    struct chunk_write *write = io->owner;

    if (sink_written(writer->lane, io, err) < 0)
        return -1;
    if (--write->writing == 0)
        finish_write(writer, write);
    return 0;
}

uint64_t chunk_writer_oldest(const struct chunk_writer *writer)
{
    uint64_t oldest = UINT64_MAX;

    for (unsigned i = 0; i < JOB_BUFFERS_PER_LANE; i++)
        if (writer->writes[i].buf && writer->writes[i].index < oldest)
            oldest = writer->writes[i].index;
    return oldest;
}

void chunk_writer_close(struct chunk_writer *writer)
{
    sink_lane_close(writer->lane);
}
