#include "cdi/disk_decoder.h"

#include <inttypes.h>
#include <string.h>

/* ---- plain ---- */

/* Fetches the next piece if none is left, unless the input is over. */
static int refill(struct disk_decoder_input *in, struct error *err)
{
    const void *data;
    ssize_t n;

    while (in->len == 0 && !in->is_over) {
        n = in->body.next(in->body.opaque, &data, err);
        if (n < 0)
            return -1;
        in->is_over = n == 0;
        in->at = data;
        in->len = (size_t)n;
    }
    return 0;
}

static ssize_t plain_fill(struct disk_stream *feed, uint8_t *buf, size_t len,
                          bool *is_zero, struct error *err)
{
    struct disk_decoder_plain *p = (struct disk_decoder_plain *)feed;
    size_t done = 0;

    *is_zero = false;
    while (done < len && p->head_at < p->head_len)
        buf[done++] = p->head[p->head_at++];
    while (done < len) {
        size_t n;

        if (refill(&p->in, err) < 0)
            return -1;
        if (p->in.len == 0)
            break;
        n = p->in.len < len - done ? p->in.len : len - done;
        memcpy(buf + done, p->in.at, n);
        p->in.at += n;
        p->in.len -= n;
        done += n;
    }
    return (ssize_t)done;
}

void disk_decoder_plain_init(struct disk_decoder_plain *plain,
                             const struct piece_source *body)
{
    *plain = (struct disk_decoder_plain){ .feed.fill = plain_fill,
                                          .in.body = *body };
}

ssize_t disk_decoder_plain_peek(struct disk_decoder_plain *plain,
                                struct error *err)
{
    bool is_zero;
    ssize_t n = plain_fill(&plain->feed, plain->head, sizeof(plain->head),
                           &is_zero, err);

    if (n > 0)
        plain->head_len = (size_t)n;
    return n;
}

/* ---- snappy ---- */

static int damaged(const struct disk_decoder_snappy *s,
                   enum snappy_frame_result result, struct error *err)
{
    return error_set(err, ERROR_PROTOCOL, 0,
                     "snappy stream: %s, after %" PRIu64 " bytes",
                     snappy_frame_text(result), s->reader.taken);
}

/*
 * Fetches input if none is left, unless it is over.  For large chunks, receives
 * only the head of the next: its body then need not be copied.
 */
static int refill_frames(struct disk_decoder_snappy *s, struct error *err)
{
    ssize_t n;

    if (!s->is_straight || s->in.len > 0 || s->in.is_over)
        return refill(&s->in, err);
    n = s->in.body.read(s->in.body.opaque, s->line, sizeof(s->line), err);
    if (n < 0)
        return -1;
    s->in.is_over = n == 0;
    s->in.at = s->line;
    s->in.len = (size_t)n;
    return 0;
}

/*
 * Receives the missing part of a chunk straight into out, if possible.
 * SNAPPY_FRAME_MORE: not possible, or the input ended first.  -1 and *err.
 */
static int take_straight(struct disk_decoder_snappy *s, uint8_t *out,
                         struct snappy_frame_block *block, struct error *err)
{
    size_t missing = 0, done = 0;
    uint8_t *to = NULL;

    if (s->in.body.read)
        to = snappy_frame_place(&s->reader, out, &missing);
    if (!to)
        return SNAPPY_FRAME_MORE;
    while (done < missing) {
        ssize_t n = s->in.body.read(s->in.body.opaque, to + done,
                                    missing - done, err);

        if (n < 0)
            return -1;
        s->in.is_over = n == 0;
        if (s->in.is_over)
            return SNAPPY_FRAME_MORE;
        done += (size_t)n;
    }
    s->is_straight = true;
    return (int)snappy_frame_placed(&s->reader, out, block);
}

/* Decodes the input; if much of a chunk is missing, receives the rest.  Returns
 * as take_straight(). */
static int take_input(struct disk_decoder_snappy *s, uint8_t *out,
                      struct snappy_frame_block *block, struct error *err)
{
    enum snappy_frame_result result;

    result = snappy_frame_read(&s->reader, &s->in.at, &s->in.len, out, block);
    if (result != SNAPPY_FRAME_MORE) {
        s->is_straight = false;
        return (int)result;
    }
    return take_straight(s, out, block, err);
}

/* The next block into out; 1, 0 at the end, -1. */
static int next_block(struct disk_decoder_snappy *s, uint8_t *out,
                      struct snappy_frame_block *block, struct error *err)
{
    for (;;) {
        enum snappy_frame_result result;
        int r;

        if (refill_frames(s, err) < 0)
            return -1;
        if (s->in.is_over) {
            result = snappy_frame_end(&s->reader);
            return result == SNAPPY_FRAME_MORE ? 0 : damaged(s, result, err);
        }
        r = take_input(s, out, block, err);
        if (r < 0)
            return -1;
        result = (enum snappy_frame_result)r;
        if (result == SNAPPY_FRAME_BLOCK && block->len > 0)
            return 1;
        if (result != SNAPPY_FRAME_MORE && result != SNAPPY_FRAME_BLOCK)
            return damaged(s, result, err);
    }
}

/* A buffer filled from its start, which is not written while it has only
 * zeros. */
struct filling {
    uint8_t *buf;
    size_t done;
    bool is_zero;
};

static void add_zeros(struct filling *f, size_t len)
{
    if (!f->is_zero)
        memset(f->buf + f->done, 0, len);
    f->done += len;
}

/* Prepares for data after the bytes so far. */
static void touch(struct filling *f)
{
    if (f->is_zero)
        memset(f->buf, 0, f->done);
    f->is_zero = false;
}

/* Takes the rest of the last block. */
static void take_rest(struct disk_decoder_snappy *s, struct filling *f,
                      size_t len)
{
    size_t n = s->block_len - s->block_at;

    if (n > len - f->done)
        n = len - f->done;
    if (s->block_is_zero) {
        add_zeros(f, n);
    } else {
        touch(f);
        memcpy(f->buf + f->done, s->block + s->block_at, n);
        f->done += n;
    }
    s->block_at += n;
}

/* Takes a block that was decoded straight into the buffer. */
static void keep(struct filling *f, const struct snappy_frame_block *block)
{
    if (block->is_zero) {
        add_zeros(f, block->len);
        return;
    }
    touch(f);
    f->done += block->len;
}

static ssize_t snappy_fill(struct disk_stream *feed, uint8_t *buf, size_t len,
                           bool *is_zero, struct error *err)
{
    struct disk_decoder_snappy *s = (struct disk_decoder_snappy *)feed;
    struct filling f = { .buf = buf, .is_zero = true };

    while (f.done < len) {
        struct snappy_frame_block block;
        bool fits = len - f.done >= SNAPPY_FRAME_BLOCK_BYTES;
        int r;

        if (s->block_at < s->block_len) {
            take_rest(s, &f, len);
            continue;
        }
        r = next_block(s, fits ? buf + f.done : s->block, &block, err);
        if (r < 0)
            return -1;
        if (r == 0)
            break;
        if (fits) {
            keep(&f, &block);
        } else {
            s->block_at = 0;
            s->block_len = block.len;
            s->block_is_zero = block.is_zero;
        }
    }
    *is_zero = f.is_zero && f.done > 0;
    return (ssize_t)f.done;
}

void disk_decoder_snappy_init(struct disk_decoder_snappy *snappy,
                              const struct piece_source *body)
{
    snappy->feed.fill = snappy_fill;
    snappy->in = (struct disk_decoder_input){ .body = *body };
    snappy->is_straight = false;
    snappy->block_at = snappy->block_len = 0;
    snappy_frame_reader_init(&snappy->reader);
}

static ssize_t next_piece(void *opaque, const void **data, struct error *err)
{
    struct disk_decoder_snappy *s = opaque;
    struct snappy_frame_block block;
    int r = next_block(s, s->block, &block, err);

    if (r <= 0)
        return r;
    if (block.is_zero)
        memset(s->block, 0, block.len);
    *data = s->block;
    return (ssize_t)block.len;
}

struct piece_source disk_decoder_snappy_pieces(
    struct disk_decoder_snappy *snappy)
{
    return (struct piece_source){ next_piece, snappy, NULL };
}
