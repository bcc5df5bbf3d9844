#include "base/zstd.h"

#include <inttypes.h>

#include "image/stream/decoders.h"
#include "io/limits.h"

#define BESIDE_BYTES (1U << 20) /* a decoder's memory besides its window */

struct zstd_sequential {
    struct stream stream; /* first: callers hold this */
    struct zstd_stream *decoder;
    uint64_t max_window; /* of a frame, by the memory limit */
    bool is_whole;       /* the last frame is complete */
};

/* The next frame needs a larger window than the memory limit allows. */
static int refuse_window(const struct zstd_sequential *zstd,
                         uint64_t window_bytes, struct error *err)
{
    uint64_t limit = limits_memory_bytes();

    if (limit == LIMITS_NONE || zstd->max_window == ZSTD_WINDOW_BYTES)
        return error_set(err, ERROR_FORMAT, 0,
                         "zstd: needs %" PRIu64
                         " MiB to decode, more than the %" PRIu64
                         " MiB that are allowed: use zstd --long=27 or less",
                         window_bytes >> 20, zstd->max_window >> 20);
    return error_set(err, ERROR_FORMAT, 0,
                     "zstd: needs %" PRIu64 " MiB to decode, more than the "
                     "%" PRIu64 " MiB that the memory limit of %" PRIu64
                     " MiB leaves for it: raise the limit by %" PRIu64
                     " MiB, or use zstd without --long and --ultra",
                     window_bytes >> 20, zstd->max_window >> 20, limit >> 20,
                     ((window_bytes - zstd->max_window) >> 20) + 1);
}

static int zstd_sequential_step(struct stream *stream, uint8_t *buf, size_t len,
                                size_t *got, struct error *err)
{
    struct zstd_sequential *zstd = (struct zstd_sequential *)stream;
    const uint8_t *begin;
    uint64_t window_bytes;
    size_t begin_len;
    const char *why;

    *got = 0;
    if (stream_refill(stream, err) < 0)
        return -1;
    /* At the end of a frame no output is left. */
    stream->has_ended = stream->input_has_ended && zstd->is_whole;
    if (stream->has_ended)
        return 0;
    begin = stream->at;
    begin_len = stream->left;
    *got = len;
    why = zstd_stream_step(zstd->decoder, &stream->at, &stream->left, buf, got,
                           &zstd->is_whole);
    stream->out += *got;
    if (why) {
        window_bytes = zstd_window_bytes(begin, begin_len);
        if (window_bytes > zstd->max_window)
            return refuse_window(zstd, window_bytes, err);
        return error_set(err, ERROR_FORMAT, 0,
                         "zstd: damaged, near byte %" PRIu64 ": %s",
                         stream_input_at(stream), why);
    }
    if (*got == 0 && stream->input_has_ended && !zstd->is_whole)
        return error_set(err, ERROR_FORMAT, 0,
                         "zstd: ends in the middle of a frame, after "
                         "%" PRIu64 " bytes",
                         stream->in_end);
    return 0;
}

static void zstd_sequential_close(struct stream *stream)
{
    zstd_stream_close(((struct zstd_sequential *)stream)->decoder);
}

static const struct stream_ops zstd_sequential_ops = {
    .name = "zstd: ",
    .step = zstd_sequential_step,
    .close = zstd_sequential_close,
};

/* The largest window that the memory limit allows, rounded down to a power of
 * two, as libzstd does. */
static uint64_t max_window_bytes(void)
{
    uint64_t max = limits_decoder_bytes(ZSTD_WINDOW_BYTES + BESIDE_BYTES);

    max -= max < BESIDE_BYTES ? max : BESIDE_BYTES;
    while (max & (max - 1))
        max &= max - 1;
    return max;
}

int zstd_sequential_open(struct peek_pipe *pipe, struct stream **stream,
                         struct error *err)
{
    struct file none = FILE_CLOSED;
    struct zstd_sequential *zstd = stream_create(
        sizeof(*zstd), &zstd_sequential_ops, &none, pipe, err);

    if (!zstd)
        return -1;
    zstd->stream.size_bytes = STREAM_SIZE_UNKNOWN;
    zstd->stream.is_sequential = true;
    zstd->max_window = max_window_bytes();
    zstd->decoder = zstd_stream_open(zstd->max_window);
    if (zstd->decoder) {
        *stream = &zstd->stream;
        return 0;
    }
    stream_no_memory(&zstd->stream, err);
    stream_close(&zstd->stream);
    return -1;
}
