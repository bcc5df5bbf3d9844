#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "image/stream/decoders.h"

#define ZLIB_CONST
#include <isa-l/igzip_lib.h>

#include <zlib.h>

#include "base/iszero.h"
#include "base/log.h"
#include "base/parse.h"
#include "image/stream/gzip_index.h"

#define MAGIC         0x1f /* the first byte of a member */
#define TRAILER_BYTES 8U
#define WRAPPED       (15 + 16) /* windowBits: gzip header and trailer */
#define BARE          (-15)     /* deflate alone */

struct gzip {
    struct stream stream;        /* first: callers hold this */
    z_stream z;                  /* in use unless there is igzip */
    struct inflate_state *igzip; /* owned; NULL: restart points are needed */
    bool is_bare;                /* started inside a member: skip its trailer */
    struct gzip_index *points;   /* owned; NULL: one pass, or borrowed */
    const struct gzip_index *places; /* as points, complete; may be shared */
};

static int gzip_refuse(const struct gzip *gzip, const char *why,
                       struct error *err)
{
    return error_set(err, ERROR_FORMAT, 0, "gzip: %s at %" PRIu64, why,
                     stream_input_at(&gzip->stream));
}

/* Block devices and tapes pad with zeros; nothing else may follow the last
 * member. */
static int check_padding(struct gzip *gzip, struct error *err)
{
    struct stream *stream = &gzip->stream;

    do {
        if (!iszero(stream->at, stream->left))
            return gzip_refuse(gzip, "trailing garbage after the last member",
                               err);
        stream->left = 0;
        if (stream_refill(stream, err) < 0)
            return -1;
    } while (stream->left > 0);
    return 0;
}

static int skip_trailer(struct gzip *gzip, struct error *err)
{
    struct stream *stream = &gzip->stream;

    for (unsigned i = 0; i < TRAILER_BYTES; i++) {
        if (stream_refill(stream, err) < 0)
            return -1;
        if (stream->left == 0)
            return gzip_refuse(gzip, "cut off inside a trailer", err);
        stream->at++;
        stream->left--;
    }
    return 0;
}

/* Is a restart point wanted here?  The first pass records them. */
static bool wants_point(const struct gzip *gzip)
{
    return gzip->points && !gzip->places &&
           gzip_index_wants(gzip->points, gzip->stream.out);
}

static int add_point(struct gzip *gzip, const struct gzip_point *point,
                     struct error *err)
{
    return gzip_index_add(gzip->points, point)
               ? 0
               : stream_no_memory(&gzip->stream, err);
}

/* Every checksum was right; the restart points are complete. */
static void end_stream(struct gzip *gzip)
{
    gzip->stream.has_ended = true;
    if (gzip->points)
        gzip->places = gzip->points;
    gzip->stream.is_proven = gzip->places != NULL;
}

/* Begins a member, or the deflate data inside one (BARE). */
static int reset_decoder(struct gzip *gzip, int window_bits, struct error *err)
{
    if (gzip->igzip) {
        isal_inflate_reset(gzip->igzip);
        gzip->igzip->crc_flag = ISAL_GZIP;
        return 0;
    }
    if (inflateReset2(&gzip->z, window_bits) == Z_OK)
        return 0;
    return error_set(err, ERROR_SYSTEM, 0, "gzip: begin to decode");
}

/* After a member: another one, padding, or the end of the file. */
static int end_member(struct gzip *gzip, struct error *err)
{
    struct stream *stream = &gzip->stream;
    struct gzip_point point = { .out = stream->out, .is_member = true };

    if (gzip->is_bare && skip_trailer(gzip, err) < 0)
        return -1;
    if (stream_refill(stream, err) < 0)
        return -1;
    gzip->is_bare = false;
    if (stream->left == 0 || stream->at[0] == 0) {
        if (stream->left > 0 && check_padding(gzip, err) < 0)
            return -1;
        end_stream(gzip);
        return 0;
    }
    if (stream->at[0] != MAGIC)
        return gzip_refuse(gzip, "trailing garbage after a member", err);
    if (reset_decoder(gzip, WRAPPED, err) < 0)
        return -1;
    point.in = stream_input_at(stream);
    return wants_point(gzip) ? add_point(gzip, &point, err) : 0;
}

/* Between two deflate blocks, and not after the last one of a member. */
static bool is_between_blocks(const struct gzip *gzip)
{
    return (gzip->z.data_type & 128) && !(gzip->z.data_type & 64) &&
           gzip->z.total_out > 0;
}

/* Adds a restart point between two blocks.  What the scratch buffer had has
 * been consumed or copied by then. */
static int add_block(struct gzip *gzip, struct error *err)
{
    struct gzip_point point = {
        .out = gzip->stream.out,
        .in = stream_input_at(&gzip->stream),
        .bits = (uint8_t)(gzip->z.data_type & 7),
        .history = gzip->stream.scratch,
    };
    uInt len = 0;

    inflateGetDictionary(&gzip->z, point.history, &len);
    point.history_len = len;
    return add_point(gzip, &point, err);
}

static int gzip_explain(struct gzip *gzip, int r, struct error *err)
{
    if (r == Z_MEM_ERROR)
        return stream_no_memory(&gzip->stream, err);
    return gzip_refuse(gzip, gzip->z.msg ? gzip->z.msg : "damaged data", err);
}

/* As inflate(), without the blocks that restart points need, at 0.48 GB/s
 * where zlib decodes 0.25. */
static int inflate_fast(struct gzip *gzip, uint8_t *buf, uInt len, size_t *got)
{
    struct inflate_state *igzip = gzip->igzip;
    struct stream *stream = &gzip->stream;
    int r;

    memcpy(&igzip->next_in, &stream->at, sizeof(igzip->next_in)); /* const */
    igzip->avail_in = (uint32_t)stream->left;
    igzip->next_out = buf;
    igzip->avail_out = len;
    r = isal_inflate(igzip);
    stream->at = igzip->next_in;
    stream->left = igzip->avail_in;
    *got = len - igzip->avail_out;
    stream->out += *got;
    if (r != ISAL_DECOMP_OK)
        return r == ISAL_END_INPUT || r == ISAL_OUT_OVERFLOW ? Z_OK
                                                             : Z_DATA_ERROR;
    return igzip->block_state == ISAL_BLOCK_FINISH ? Z_STREAM_END : Z_OK;
}

/* One inflate() over the input. */
static int inflate_input(struct gzip *gzip, uint8_t *buf, uInt len, size_t *got)
{
    struct stream *stream = &gzip->stream;
    int r;

    gzip->z.next_in = stream->at;
    gzip->z.avail_in = (uInt)stream->left;
    gzip->z.next_out = buf;
    gzip->z.avail_out = len;
    r = inflate(&gzip->z, gzip->points && !gzip->places ? Z_BLOCK : Z_NO_FLUSH);
    stream->at = gzip->z.next_in;
    stream->left = gzip->z.avail_in;
    *got = len - gzip->z.avail_out;
    stream->out += *got;
    return r;
}

static int gzip_step(struct stream *stream, uint8_t *buf, size_t len,
                     size_t *got, struct error *err)
{
    uInt room = len < STREAM_INPUT_BYTES ? (uInt)len : STREAM_INPUT_BYTES;
    struct gzip *gzip = (struct gzip *)stream;
    bool is_over;
    int r;

    *got = 0;
    if (stream_refill(stream, err) < 0)
        return -1;
    is_over = stream->left == 0; /* but for what igzip has in memory */
    r = gzip->igzip ? inflate_fast(gzip, buf, room, got)
                    : inflate_input(gzip, buf, room, got);
    if (r == Z_STREAM_END)
        return end_member(gzip, err);
    if (r != Z_OK && r != Z_BUF_ERROR)
        return gzip_explain(gzip, r, err);
    if (is_over && *got == 0)
        return gzip_refuse(gzip, "cut off: the file ends inside a member", err);
    return wants_point(gzip) && is_between_blocks(gzip) ? add_block(gzip, err)
                                                        : 0;
}

/* Restarts decoding at point. */
static int restart(struct gzip *gzip, const struct gzip_point *point,
                   struct error *err)
{
    struct stream *stream = &gzip->stream;

    gzip->is_bare = !point->is_member;
    stream_seek_input(stream, point->in - (point->bits ? 1 : 0));
    stream->out = point->out;
    if (stream_refill(stream, err) < 0)
        return -1;
    if (reset_decoder(gzip, point->is_member ? WRAPPED : BARE, err) < 0)
        return -1;
    if (point->bits && stream->left > 0) {
        inflatePrime(&gzip->z, point->bits, stream->at[0] >> (8 - point->bits));
        stream->at++;
        stream->left--;
    }
    if (point->history_len > 0)
        inflateSetDictionary(&gzip->z, point->history, point->history_len);
    return 0;
}

static int gzip_seek(struct stream *stream, uint64_t offset, struct error *err)
{
    static const struct gzip_point start = { .is_member = true };
    struct gzip *gzip = (struct gzip *)stream;
    const struct gzip_point *place = gzip->places
                                         ? gzip_index_find(gzip->places, offset)
                                         : &start;

    if (offset >= stream->out && place->out <= stream->out)
        return 0;
    return restart(gzip, place, err);
}

static void gzip_close(struct stream *stream)
{
    struct gzip *gzip = (struct gzip *)stream;

    inflateEnd(&gzip->z);
    free(gzip->igzip);
    gzip_index_close(gzip->points);
}

static const struct stream_ops gzip_ops = {
    .name = "gzip: ",
    .step = gzip_step,
    .seek = gzip_seek,
    .close = gzip_close,
};

/* Decodes everything: finds the size, proves it, records restart points. */
static int measure(struct gzip *gzip, const char *path, struct error *err)
{
    struct stream *stream = &gzip->stream;
    char size[32];
    ssize_t n;

    log_info("%s: gzip does not record the decoded size: decoding it once",
             path);
    do
        n = stream_next(stream, stream->scratch, STREAM_SCRATCH_BYTES, err);
    while (n > 0);
    if (n < 0)
        return -1;
    log_info("%s: holds %s (%" PRIu64 " bytes), checksums right", path,
             format_bytes(size, sizeof(size), stream->out), stream->out);
    return 0;
}

static int prepare(struct gzip *gzip, const struct gzip_options *options,
                   struct error *err)
{
    const struct stream *like = options->like;
    struct stream *stream = &gzip->stream;

    if (inflateInit2(&gzip->z, WRAPPED) != Z_OK)
        return stream_no_memory(stream, err);
    stream->size_bytes = STREAM_SIZE_UNKNOWN;
    if (like) {
        gzip->places = ((const struct gzip *)like)->places;
        stream->size_bytes = like->size_bytes;
    } else if (!options->is_forward && options->size_bytes > 0) {
        stream->size_bytes = options->size_bytes;
    } else if (!options->pipe) {
        gzip->points = gzip_index_open();
        if (!gzip->points)
            return stream_no_memory(stream, err);
        if (!options->is_forward && measure(gzip, options->path, err) < 0)
            return -1;
    }
    if (!gzip->places && !gzip->points) {
        gzip->igzip = calloc(1, sizeof(*gzip->igzip));
        if (!gzip->igzip)
            return stream_no_memory(stream, err);
        isal_inflate_init(gzip->igzip);
    }
    stream->is_proven = gzip->places != NULL;
    stream->is_sequential = !gzip->places;
    return reset_decoder(gzip, WRAPPED, err);
}

int gzip_open(const struct gzip_options *options, struct stream **stream,
              struct error *err)
{
    struct gzip *gzip = stream_create(sizeof(*gzip), &gzip_ops, options->file,
                                      options->pipe, err);

    if (!gzip)
        return -1;
    if (prepare(gzip, options, err) == 0) {
        *stream = &gzip->stream;
        return 0;
    }
    stream_close(&gzip->stream);
    return -1;
}
