#include "transfer/chunk_writer.h"

#include <string.h>

#include "record/digest.h"
#include "transfer/chunk_reader.h"

/* Adds [begin, end) of the chunk to the runs to write. */
static void add_run(struct chunk_writer_runs *runs, uint8_t *buf,
                    uint64_t offset, size_t begin, size_t end)
{
    struct io *last = runs->count ? &runs->runs[runs->count - 1] : NULL;

    if (last && last->buf + last->len == buf + begin) {
        last->len += end - begin;
        return;
    }
    runs->runs[runs->count++] = (struct io){
        .op = IO_WRITE,
        .buf = buf + begin,
        .len = end - begin,
        .offset = offset + begin,
        .owner = runs,
    };
}

static int plan_writes(struct chunk_writer *stow,
                       struct chunk_writer_runs *runs, uint64_t offset,
                       uint8_t *buf, size_t len, struct error *err)
{
    uint64_t min = sink_zero_min(stow->sink);
    size_t end;

    runs->count = 0;
    runs->data_bytes = 0;
    for (size_t at = 0; at < len; at = end) {
        bool is_zero;

        end = chunk_run_end(buf, len, runs->blank, at, &is_zero);
        if (!is_zero)
            runs->data_bytes += end - at;
        if (is_zero && end - at < min && runs->blank != 0)
            memset(buf + at, 0, end - at);
        if (!is_zero || end - at < min)
            add_run(runs, buf, offset, at, end);
        else if (sink_zero(stow->lane, offset + at, end - at, err) < 0)
            return -1;
    }
    return 0;
}

/* Leaves out the runs that are on the disk already. */
static void drop_held(struct chunk_writer *stow, struct chunk_writer_runs *runs)
{
    uint64_t held_bytes = 0;
    unsigned count = 0;

    for (unsigned i = 0; i < runs->count; i++)
        if (sink_holds(stow->lane, &runs->runs[i]))
            held_bytes += runs->runs[i].len;
        else
            runs->runs[count++] = runs->runs[i];
    runs->count = count;
    if (held_bytes > runs->data_bytes) /* short zeros among them */
        held_bytes = runs->data_bytes;
    runs->data_bytes -= held_bytes;
    progress_add(&stow->job->status.progress.resumed_bytes, held_bytes);
}

int chunk_writer_chunk(struct chunk_writer *stow,
                       struct chunk_writer_runs *runs, uint64_t index,
                       uint8_t *buf, size_t len, struct error *err)
{
    struct progress *progress = &stow->job->status.progress;
    uint8_t leaves[DIGEST_LEAVES_BYTES];

    digest_leaves(stow->job->status.digest, buf, len, 0, runs->blank, leaves);
    digest_add_leaves(stow->job->status.digest, index, leaves);
    if (plan_writes(stow, runs, index * CHUNK_BYTES, buf, len, err) < 0)
        return -1;
    progress_add(&progress->zero_bytes, len - runs->data_bytes);
    drop_held(stow, runs);
    runs->writing = runs->count;
    for (unsigned i = 0; i < runs->count; i++)
        sink_write(stow->lane, &runs->runs[i]);
    return runs->count > 0;
}

int chunk_writer_written(struct chunk_writer *stow, struct io *io,
                         struct error *err)
{
    struct chunk_writer_runs *runs = io->owner;

    if (sink_written(stow->lane, io, err) < 0)
        return -1;
    if (--runs->writing > 0)
        return 0;
    progress_add(&stow->job->status.progress.data_bytes, runs->data_bytes);
    return 1;
}
