#include "image/stream/zstd_sequential.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/zstd.h"
#include "image/stream/peek_pipe.h"
#include "io/limits.h"

#define BESIDE_BYTES (1U << 20) /* a decoder's memory besides its window */
#define INPUT_BYTES  (256U << 10)

struct zstd_sequential {
    struct stream stream; /* first: callers hold this */
    struct zstd_stream *decoder;
    const uint8_t *at; /* of input, not yet decoded */
    size_t left;
    uint64_t in_end;     /* pipe offset after the input in memory */
    uint64_t max_window; /* of a frame, by the memory limit */
    bool has_no_more;    /* the pipe has ended */
    bool is_whole;       /* the last frame is complete */
    uint8_t *input;      /* owned */
};

static int refill(struct zstd_sequential *zstd, struct error *err)
{
    ssize_t n;

    if (zstd->left > 0 || zstd->has_no_more)
        return 0;
    n = peek_pipe_read(zstd->stream.pipe, zstd->input, INPUT_BYTES,
                       zstd->in_end, err);
    if (n < 0)
        return -1;
    zstd->has_no_more = n == 0;
    zstd->in_end += (uint64_t)n;
    zstd->at = zstd->input;
    zstd->left = (size_t)n;
    return 0;
}

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

static ssize_t zstd_sequential_next(struct stream *stream, void *buf,
                                    size_t len, struct error *err)
{
    struct zstd_sequential *zstd = (struct zstd_sequential *)stream;
    size_t got = 0;

    while (got == 0) {
        const uint8_t *begin;
        size_t begin_len;
        const char *why;

        if (refill(zstd, err) < 0)
            return -1;
        /* At the end of a frame no output is left. */
        if (zstd->has_no_more && zstd->is_whole)
            return 0;
        got = len;
        begin = zstd->at;
        begin_len = zstd->left;
        why = zstd_stream_step(zstd->decoder, &zstd->at, &zstd->left, buf, &got,
                               &zstd->is_whole);
        if (why && zstd_window_bytes(begin, begin_len) > zstd->max_window)
            return refuse_window(zstd, zstd_window_bytes(begin, begin_len),
                                 err);
        if (why)
            return error_set(err, ERROR_FORMAT, 0,
                             "zstd: damaged, near byte %" PRIu64 ": %s",
                             zstd->in_end - zstd->left, why);
        if (got == 0 && zstd->has_no_more && !zstd->is_whole)
            return error_set(err, ERROR_FORMAT, 0,
                             "zstd: ends in the middle of a frame, after "
                             "%" PRIu64 " bytes",
                             zstd->in_end);
    }
    return (ssize_t)got;
}

static int zstd_sequential_read(struct stream *stream, void *buf, size_t len,
                                uint64_t offset, struct error *err)
{
    (void)stream, (void)buf, (void)len, (void)offset;
    return error_set(err, ERROR_FORMAT, 0, "zstd: is read in order only");
}

static int zstd_sequential_prove(struct stream *stream, struct error *err)
{
    (void)stream, (void)err;
    return 0; /* each frame is checked as it ends */
}

static void zstd_sequential_close(struct stream *stream)
{
    struct zstd_sequential *zstd = (struct zstd_sequential *)stream;

    zstd_stream_close(zstd->decoder);
    free(zstd->input);
    free(zstd);
}

static const struct stream_ops zstd_sequential_ops = {
    .read = zstd_sequential_read,
    .next = zstd_sequential_next,
    .prove = zstd_sequential_prove,
    .close = zstd_sequential_close,
};

int zstd_sequential_open(struct peek_pipe *pipe, struct stream **stream,
                         struct error *err)
{
    struct zstd_sequential *zstd = calloc(1, sizeof(*zstd));

    if (!zstd)
        return error_set(err, ERROR_SYSTEM, ENOMEM, "zstd: open");
    zstd->stream = (struct stream){
        .ops = &zstd_sequential_ops,
        .pipe = pipe,
        .size_bytes = STREAM_SIZE_UNKNOWN,
        .mode = FILE_MODE_BUFFERED,
        .is_sequential = true,
    };
    zstd->max_window = limits_decoder_bytes(ZSTD_WINDOW_BYTES + BESIDE_BYTES);
    zstd->max_window -= zstd->max_window < BESIDE_BYTES ? zstd->max_window
                                                        : BESIDE_BYTES;
    while (zstd->max_window & (zstd->max_window - 1)) /* as libzstd rounds */
        zstd->max_window &= zstd->max_window - 1;
    zstd->decoder = zstd_stream_open(zstd->max_window);
    zstd->input = malloc(INPUT_BYTES);
    if (!zstd->decoder || !zstd->input) {
        zstd_sequential_close(&zstd->stream);
        return error_set(err, ERROR_SYSTEM, ENOMEM, "zstd: open");
    }
    *stream = &zstd->stream;
    return 0;
}
