#include "image/stream/gzip.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "base/iszero.h"
#include "base/log.h"
#include "base/parse.h"
#include "image/stream/gzip_index.h"
#include "image/stream/peek_pipe.h"
#include "image/stream/source_file.h"

#define INPUT_BYTES   (256U << 10)
#define SCRATCH_BYTES (64U << 10)
#define TRAILER_BYTES 8U
#define WRAPPED       (15 + 16) /* windowBits: gzip header and trailer */
#define BARE          (-15)     /* deflate alone */

struct gzip {
    struct stream stream; /* first: callers hold this */
    struct file file;
    struct file_window window;
    z_stream z;
    bool is_set_up;   /* z is initialized */
    bool is_bare;     /* started inside a member: its trailer is skipped */
    bool is_first;    /* in the first member */
    bool has_ended;   /* nothing is left to decode */
    uint64_t in_end;  /* file offset after the input in memory */
    uint64_t out;     /* offset of the next decoded byte */
    uint8_t *input;   /* owned */
    uint8_t *scratch; /* owned; discarded output, or history */
    struct gzip_index *points;       /* owned; NULL: one pass, or borrowed */
    const struct gzip_index *places; /* as points, perhaps shared */
};

static int refuse(const struct gzip *gzip, const char *why, struct error *err)
{
    return error_set(err, ERROR_FORMAT, 0, "gzip: %s at %" PRIu64, why,
                     gzip->in_end - gzip->z.avail_in);
}

static ssize_t read_file(struct gzip *gzip, struct error *err)
{
    ssize_t n = source_file_read(&gzip->file, gzip->input, INPUT_BYTES,
                                 gzip->in_end);

    if (n < 0)
        return error_set(err, ERROR_SOURCE_IO, (int)-n,
                         "gzip: read %u bytes at %" PRIu64, INPUT_BYTES,
                         gzip->in_end);
    file_window_read(&gzip->window, &gzip->file, gzip->in_end, (uint64_t)n);
    return n;
}

/* Reads more input.  The end of the file is not an error. */
static int refill(struct gzip *gzip, struct error *err)
{
    ssize_t n;

    if (gzip->z.avail_in > 0)
        return 0;
    if (gzip->stream.pipe)
        n = peek_pipe_read(gzip->stream.pipe, gzip->input, INPUT_BYTES,
                           gzip->in_end, err);
    else
        n = read_file(gzip, err);
    if (n < 0)
        return -1;
    gzip->in_end += (uint64_t)n;
    gzip->z.next_in = gzip->input;
    gzip->z.avail_in = (uInt)n;
    return 0;
}

/* Block devices and tapes pad with zeros; nothing else may follow the last
 * member. */
static int check_padding(struct gzip *gzip, struct error *err)
{
    do {
        if (!iszero(gzip->z.next_in, gzip->z.avail_in))
            return refuse(gzip, "garbage behind the last member", err);
        gzip->z.avail_in = 0;
        if (refill(gzip, err) < 0)
            return -1;
    } while (gzip->z.avail_in > 0);
    return 0;
}

static int skip_trailer(struct gzip *gzip, struct error *err)
{
    for (unsigned i = 0; i < TRAILER_BYTES; i++) {
        if (refill(gzip, err) < 0)
            return -1;
        if (gzip->z.avail_in == 0)
            return refuse(gzip, "cut off inside a trailer", err);
        gzip->z.next_in++;
        gzip->z.avail_in--;
    }
    return 0;
}

/* After a member: another one, padding, or the end of the file. */
static int end_member(struct gzip *gzip, struct error *err)
{
    if (gzip->is_bare && skip_trailer(gzip, err) < 0)
        return -1;
    if (refill(gzip, err) < 0)
        return -1;
    gzip->is_first = false;
    gzip->is_bare = false;
    if (gzip->z.avail_in == 0 || gzip->z.next_in[0] == 0) {
        gzip->has_ended = true;
        return gzip->z.avail_in > 0 ? check_padding(gzip, err) : 0;
    }
    if (inflateReset2(&gzip->z, WRAPPED) != Z_OK)
        return error_set(err, ERROR_SYSTEM, 0, "gzip: begin a member");
    if (!gzip->points || gzip->places || /* none, or complete */
        !gzip_index_wants(gzip->points, gzip->out))
        return 0;
    if (gzip_index_add(gzip->points, &(struct gzip_point){
                                         .out = gzip->out,
                                         .in = gzip->in_end - gzip->z.avail_in,
                                         .is_member = true,
                                     }))
        return 0;
    return error_set(err, ERROR_SYSTEM, ENOMEM, "gzip: keep a place");
}

static int explain(struct gzip *gzip, int r, struct error *err)
{
    if (r == Z_MEM_ERROR)
        return error_set(err, ERROR_SYSTEM, ENOMEM, "gzip: decode");
    if (!gzip->is_first && gzip->z.total_out == 0 && r == Z_DATA_ERROR)
        return refuse(gzip, "garbage behind a member", err);
    return refuse(gzip, gzip->z.msg ? gzip->z.msg : "damaged data", err);
}

/* One inflate(): up to len bytes into buf.  *got may be 0 before the end. */
static int decode_step(struct gzip *gzip, int flush, uint8_t *buf, size_t len,
                       size_t *got, struct error *err)
{
    uInt room = len < INPUT_BYTES ? (uInt)len : INPUT_BYTES;
    int r;

    *got = 0;
    if (refill(gzip, err) < 0)
        return -1;
    if (gzip->z.avail_in == 0)
        return refuse(gzip, "cut off: the file ends inside a member", err);
    gzip->z.next_out = buf;
    gzip->z.avail_out = room;
    r = inflate(&gzip->z, flush);
    *got = room - gzip->z.avail_out;
    gzip->out += *got;
    if (r == Z_STREAM_END)
        return end_member(gzip, err);
    return r == Z_OK || r == Z_BUF_ERROR ? 0 : explain(gzip, r, err);
}

/* Decodes len bytes, to buf or (NULL) to nowhere. */
static int decode(struct gzip *gzip, uint8_t *buf, uint64_t len,
                  struct error *err)
{
    while (len > 0) {
        size_t max = buf                   ? (size_t)len
                     : len < SCRATCH_BYTES ? (size_t)len
                                           : SCRATCH_BYTES;
        size_t got;

        if (gzip->has_ended)
            return error_set(err, ERROR_FORMAT, 0,
                             "gzip: holds %" PRIu64
                             " bytes, fewer than expected",
                             gzip->out);
        if (decode_step(gzip, Z_NO_FLUSH, buf ? buf : gzip->scratch, max, &got,
                        err) < 0)
            return -1;
        len -= got;
        if (buf)
            buf += got;
    }
    return 0;
}

/* Restarts decoding at point. */
static int resume(struct gzip *gzip, const struct gzip_point *point,
                  struct error *err)
{
    gzip->has_ended = false;
    gzip->is_first = point->in == 0;
    gzip->is_bare = !point->is_member;
    gzip->in_end = point->in - (point->bits ? 1 : 0);
    gzip->out = point->out;
    gzip->z.avail_in = 0;
    if (refill(gzip, err) < 0)
        return -1;
    if (inflateReset2(&gzip->z, point->is_member ? WRAPPED : BARE) != Z_OK)
        return error_set(err, ERROR_SYSTEM, 0, "gzip: begin at a place");
    if (point->bits && gzip->z.avail_in > 0) {
        inflatePrime(&gzip->z, point->bits,
                     gzip->z.next_in[0] >> (8 - point->bits));
        gzip->z.next_in++;
        gzip->z.avail_in--;
    }
    if (point->history_len > 0)
        inflateSetDictionary(&gzip->z, point->history, point->history_len);
    return 0;
}

/* Between two deflate blocks, and not after the last one of a member. */
static bool is_between_blocks(const struct gzip *gzip)
{
    return (gzip->z.data_type & 128) && !(gzip->z.data_type & 64) &&
           !gzip->has_ended && gzip->z.total_out > 0;
}

static int keep_place(struct gzip *gzip, struct error *err)
{
    struct gzip_point point = {
        .out = gzip->out,
        .in = gzip->in_end - gzip->z.avail_in,
        .bits = (uint8_t)(gzip->z.data_type & 7),
        .history = gzip->scratch,
    };
    uInt len = 0;

    inflateGetDictionary(&gzip->z, gzip->scratch, &len);
    point.history_len = len;
    if (gzip_index_add(gzip->points, &point))
        return 0;
    return error_set(err, ERROR_SYSTEM, ENOMEM, "gzip: keep a place");
}

/* As decode_step(); also records restart points where they are wanted. */
static int decode_forward(struct gzip *gzip, uint8_t *buf, size_t len,
                          size_t *got, struct error *err)
{
    if (decode_step(gzip, gzip->points ? Z_BLOCK : Z_NO_FLUSH, buf, len, got,
                    err) < 0)
        return -1;
    if (!gzip->points || !is_between_blocks(gzip) ||
        !gzip_index_wants(gzip->points, gzip->out))
        return 0;
    return keep_place(gzip, err);
}

static int keep_places(struct gzip *gzip, struct error *err)
{
    gzip->points = gzip_index_open();
    return gzip->points ? 0
                        : error_set(err, ERROR_SYSTEM, ENOMEM, "gzip: open");
}

/* Decoding has reached the end, and every checksum was right. */
static void know(struct gzip *gzip)
{
    gzip->places = gzip->points;
    gzip->stream.size_bytes = gzip->out;
}

/* Decodes everything: finds the size, proves it, records restart points. */
static int measure(struct gzip *gzip, const char *path, struct error *err)
{
    char size[32];

    log_info("%s: gzip does not say what it holds: decoding it once", path);
    if (keep_places(gzip, err) < 0)
        return -1;
    while (!gzip->has_ended) {
        size_t got;

        /* The history goes through the same buffer and is not read there. */
        if (decode_forward(gzip, gzip->scratch, SCRATCH_BYTES, &got, err) < 0)
            return -1;
    }
    know(gzip);
    log_info("%s: holds %s (%" PRIu64 " bytes), checksums right", path,
             format_bytes(size, sizeof(size), gzip->out), gzip->out);
    return 0;
}

/* The disk ends here, and so must the stream. */
static int expect_end(struct gzip *gzip, struct error *err)
{
    while (!gzip->has_ended) {
        size_t got;

        if (decode_step(gzip, Z_NO_FLUSH, gzip->scratch, 1, &got, err) < 0)
            return -1;
        if (got > 0)
            return error_set(err, ERROR_FORMAT, 0,
                             "gzip: holds more than the expected %" PRIu64
                             " bytes",
                             gzip->stream.size_bytes);
    }
    return 0;
}

static int gzip_read(struct stream *stream, void *buf, size_t len,
                     uint64_t offset, struct error *err)
{
    static const struct gzip_point start = { .is_member = true };
    struct gzip *gzip = (struct gzip *)stream;
    const struct gzip_point *place = gzip->places
                                         ? gzip_index_find(gzip->places, offset)
                                         : &start;

    if ((offset < gzip->out || place->out > gzip->out) &&
        resume(gzip, place, err) < 0)
        return -1;
    if (decode(gzip, NULL, offset - gzip->out, err) < 0 ||
        decode(gzip, buf, len, err) < 0)
        return -1;
    if (!gzip->places && gzip->out == stream->size_bytes)
        return expect_end(gzip, err);
    return 0;
}

static ssize_t gzip_next(struct stream *stream, void *buf, size_t len,
                         struct error *err)
{
    struct gzip *gzip = (struct gzip *)stream;
    size_t got = 0;

    while (got == 0 && !gzip->has_ended)
        if (decode_forward(gzip, buf, len, &got, err) < 0)
            return -1;
    if (gzip->has_ended)
        know(gzip);
    return (ssize_t)got;
}

/* A measured stream is already proven; a single pass is proven at its end. */
static int gzip_prove(struct stream *stream, struct error *err)
{
    struct gzip *gzip = (struct gzip *)stream;

    if (gzip->places || stream->size_bytes == gzip->out)
        return 0;
    if (decode(gzip, NULL, stream->size_bytes - gzip->out, err) < 0)
        return -1;
    return expect_end(gzip, err);
}

static void gzip_close(struct stream *stream)
{
    struct gzip *gzip = (struct gzip *)stream;

    if (gzip->is_set_up)
        inflateEnd(&gzip->z);
    gzip_index_close(gzip->points);
    file_close(&gzip->file);
    free(gzip->input);
    free(gzip->scratch);
    free(gzip);
}

static const struct stream_ops gzip_ops = {
    .read = gzip_read,
    .next = gzip_next,
    .prove = gzip_prove,
    .close = gzip_close,
};

static struct gzip *create(struct file *file)
{
    struct gzip *gzip = calloc(1, sizeof(*gzip));

    if (!gzip) {
        file_close(file);
        return NULL;
    }
    gzip->file = *file;
    *file = (struct file)FILE_CLOSED;
    source_file_read_cached(&gzip->file);
    gzip->is_first = true;
    gzip->stream.ops = &gzip_ops;
    gzip->stream.host_bytes = gzip->file.size_bytes;
    gzip->stream.mode = gzip->file.mode;
    gzip->input = malloc(INPUT_BYTES);
    gzip->scratch = malloc(SCRATCH_BYTES);
    gzip->is_set_up = inflateInit2(&gzip->z, WRAPPED) == Z_OK;
    if (gzip->input && gzip->scratch && gzip->is_set_up)
        return gzip;
    gzip_close(&gzip->stream);
    return NULL;
}

int gzip_open(const struct gzip_options *options, struct stream **stream,
              struct error *err)
{
    const struct stream *like = options->like;
    struct gzip *gzip = create(options->file);
    int r = 0;

    if (!gzip)
        return error_set(err, ERROR_SYSTEM, ENOMEM, "gzip: open");
    gzip->stream.pipe = options->pipe;
    if (options->is_forward) {
        gzip->stream.size_bytes = STREAM_SIZE_UNKNOWN;
        if (!options->pipe)
            r = keep_places(gzip, err);
    } else if (like) {
        gzip->places = ((const struct gzip *)like)->places;
        gzip->stream.size_bytes = like->size_bytes;
    } else if (options->size_bytes > 0) {
        gzip->stream.size_bytes = options->size_bytes;
    } else {
        r = measure(gzip, options->path, err);
    }
    if (r < 0) {
        gzip_close(&gzip->stream);
        return r;
    }
    gzip->stream.is_sequential = !gzip->places;
    *stream = &gzip->stream;
    return 0;
}
