#include "image/stream/xz_sequential.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include <lzma.h>

#include "image/stream/peek_pipe.h"
#include "image/stream/source_file.h"
#include "image/stream/xz.h"
#include "io/limits.h"

#define INPUT_BYTES   (256U << 10)
#define SCRATCH_BYTES (64U << 10)
#define MAX_THREADS   4U

/* A thread holds a block compressed and decoded: two of 16 MiB fit. */
#define THREADS_MEMORY_BYTES (UINT64_C(56) << 20)

struct xz_sequential {
    struct stream stream; /* first: callers hold this */
    struct file file;     /* closed if there is a pipe */
    struct file_window window;
    lzma_stream decoder;
    bool in_threads;
    bool has_no_more; /* the container has ended */
    bool has_ended;   /* the streams in it have ended correctly */
    uint64_t in_end;  /* container offset after the input in memory */
    uint64_t out;     /* offset of the next decoded byte */
    uint8_t *input;   /* owned */
    uint8_t *scratch; /* owned; discarded output */
};

static ssize_t read_file(struct xz_sequential *xz, struct error *err)
{
    ssize_t n = source_file_read(&xz->file, xz->input, INPUT_BYTES, xz->in_end);

    if (n < 0)
        return error_set(err, ERROR_SOURCE_IO, (int)-n,
                         "xz: read %u bytes at %" PRIu64, INPUT_BYTES,
                         xz->in_end);
    file_window_read(&xz->window, &xz->file, xz->in_end, (uint64_t)n);
    return n;
}

static int refill(struct xz_sequential *xz, struct error *err)
{
    ssize_t n;

    if (xz->decoder.avail_in > 0 || xz->has_no_more)
        return 0;
    if (xz->stream.pipe)
        n = peek_pipe_read(xz->stream.pipe, xz->input, INPUT_BYTES, xz->in_end,
                           err);
    else
        n = read_file(xz, err);
    if (n < 0)
        return -1;
    xz->has_no_more = n == 0;
    xz->in_end += (uint64_t)n;
    xz->decoder.next_in = xz->input;
    xz->decoder.avail_in = (size_t)n;
    return 0;
}

static int explain(const struct xz_sequential *xz, lzma_ret r,
                   struct error *err)
{
    uint64_t at = xz->in_end - xz->decoder.avail_in;

    if (r == LZMA_DATA_ERROR) /* liblzma does not distinguish them */
        return error_set(err, ERROR_FORMAT, 0,
                         "xz: damaged data, or garbage behind a stream, near "
                         "byte %" PRIu64,
                         at);
    if (r == LZMA_MEMLIMIT_ERROR)
        return xz_refuse_memory(lzma_memusage(&xz->decoder), err);
    return xz_explain((int)r, at, err);
}

/* One lzma_code(): up to len bytes into buf.  *got may be 0 before the end. */
static int decode_step(struct xz_sequential *xz, uint8_t *buf, size_t len,
                       size_t *got, struct error *err)
{
    lzma_ret r;

    *got = 0;
    if (refill(xz, err) < 0)
        return -1;
    xz->decoder.next_out = buf;
    xz->decoder.avail_out = len;
    r = lzma_code(&xz->decoder, xz->has_no_more ? LZMA_FINISH : LZMA_RUN);
    *got = len - xz->decoder.avail_out;
    xz->out += *got;
    if (r == LZMA_STREAM_END)
        xz->has_ended = true;
    return r == LZMA_OK || r == LZMA_STREAM_END ? 0 : explain(xz, r, err);
}

/* Decodes len bytes to buf, or discards them (buf NULL). */
static int decode(struct xz_sequential *xz, uint8_t *buf, uint64_t len,
                  struct error *err)
{
    while (len > 0) {
        size_t max = buf || len < SCRATCH_BYTES ? (size_t)len : SCRATCH_BYTES;
        size_t got;

        if (xz->has_ended)
            return error_set(err, ERROR_FORMAT, 0,
                             "xz: holds %" PRIu64
                             " bytes, fewer than the expected %" PRIu64,
                             xz->out, xz->stream.size_bytes);
        if (decode_step(xz, buf ? buf : xz->scratch, max, &got, err) < 0)
            return -1;
        len -= got;
        if (buf)
            buf += got;
    }
    return 0;
}

/* The disk ends here, and so must all streams, their checksums and index. */
static int expect_end(struct xz_sequential *xz, struct error *err)
{
    while (!xz->has_ended) {
        size_t got;

        if (decode_step(xz, xz->scratch, 1, &got, err) < 0)
            return -1;
        if (got > 0)
            return error_set(err, ERROR_FORMAT, 0,
                             "xz: holds more than the expected %" PRIu64
                             " bytes",
                             xz->stream.size_bytes);
    }
    return 0;
}

static lzma_ret begin_decoder(struct xz_sequential *xz)
{
    const uint32_t flags = LZMA_CONCATENATED | LZMA_TELL_UNSUPPORTED_CHECK;
    const uint64_t memory = xz_memory_bytes();
    unsigned cpus = limits_cpus();
    const lzma_mt threads = {
        .flags = flags,
        .threads = cpus < MAX_THREADS ? cpus : MAX_THREADS,
        .memlimit_threading = memory < THREADS_MEMORY_BYTES
                                  ? memory
                                  : THREADS_MEMORY_BYTES,
        .memlimit_stop = memory,
    };

    if (xz->in_threads)
        return lzma_stream_decoder_mt(&xz->decoder, &threads);
    return lzma_stream_decoder(&xz->decoder, memory, flags);
}

/* Starts at the first byte; a probe has already read the head of the pipe. */
static int begin(struct xz_sequential *xz, struct error *err)
{
    lzma_ret r = begin_decoder(xz);

    xz->decoder.avail_in = 0;
    xz->has_no_more = false;
    xz->has_ended = false;
    xz->in_end = 0;
    xz->out = 0;
    return r == LZMA_OK ? 0 : explain(xz, r, err);
}

static int xz_sequential_read(struct stream *stream, void *buf, size_t len,
                              uint64_t offset, struct error *err)
{
    struct xz_sequential *xz = (struct xz_sequential *)stream;

    if (offset < xz->out && begin(xz, err) < 0)
        return -1;
    if (decode(xz, NULL, offset - xz->out, err) < 0 ||
        decode(xz, buf, len, err) < 0)
        return -1;
    return xz->out == stream->size_bytes ? expect_end(xz, err) : 0;
}

static ssize_t xz_sequential_next(struct stream *stream, void *buf, size_t len,
                                  struct error *err)
{
    struct xz_sequential *xz = (struct xz_sequential *)stream;
    size_t got = 0;

    while (got == 0 && !xz->has_ended)
        if (decode_step(xz, buf, len, &got, err) < 0)
            return -1;
    return (ssize_t)got;
}

static int xz_sequential_prove(struct stream *stream, struct error *err)
{
    struct xz_sequential *xz = (struct xz_sequential *)stream;

    if (decode(xz, NULL, stream->size_bytes - xz->out, err) < 0)
        return -1;
    return expect_end(xz, err);
}

static void xz_sequential_close(struct stream *stream)
{
    struct xz_sequential *xz = (struct xz_sequential *)stream;

    lzma_end(&xz->decoder);
    file_close(&xz->file);
    free(xz->input);
    free(xz->scratch);
    free(xz);
}

static const struct stream_ops xz_sequential_ops = {
    .read = xz_sequential_read,
    .next = xz_sequential_next,
    .prove = xz_sequential_prove,
    .close = xz_sequential_close,
};

static struct xz_sequential *create(struct file *file, struct peek_pipe *pipe)
{
    struct xz_sequential *xz = calloc(1, sizeof(*xz));

    if (!xz) {
        file_close(file);
        return NULL;
    }
    xz->stream.ops = &xz_sequential_ops;
    xz->stream.pipe = pipe;
    xz->file = *file;
    *file = (struct file)FILE_CLOSED;
    xz->input = malloc(INPUT_BYTES);
    xz->scratch = malloc(SCRATCH_BYTES);
    if (xz->input && xz->scratch)
        return xz;
    xz_sequential_close(&xz->stream);
    return NULL;
}

int xz_sequential_open(struct file *file, struct peek_pipe *pipe,
                       uint64_t size_bytes, bool in_threads,
                       struct stream **stream, struct error *err)
{
    struct xz_sequential *xz = create(file, pipe);

    if (!xz)
        return error_set(err, ERROR_SYSTEM, ENOMEM, "xz: open");
    if (!pipe)
        source_file_read_cached(&xz->file);
    xz->in_threads = in_threads;
    xz->stream.size_bytes = size_bytes;
    xz->stream.host_bytes = pipe ? size_bytes : xz->file.size_bytes;
    xz->stream.mode = FILE_MODE_BUFFERED;
    xz->stream.is_sequential = true;
    if (begin(xz, err) < 0) {
        xz_sequential_close(&xz->stream);
        return -1;
    }
    *stream = &xz->stream;
    return 0;
}
