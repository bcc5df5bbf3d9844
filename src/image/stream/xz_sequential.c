#include <inttypes.h>

#include "image/stream/decoders.h"
#include "image/stream/xz_private.h"
#include "io/limits.h"

#define MAX_THREADS 4U

/* A thread holds a block compressed and decoded: two of 16 MiB fit. */
#define THREADS_MEMORY_BYTES (UINT64_C(56) << 20)

struct xz_sequential {
    struct stream stream; /* first: callers hold this */
    lzma_stream decoder;
    bool in_threads;
};

static int xz_sequential_explain(const struct xz_sequential *xz, lzma_ret r,
                                 struct error *err)
{
    uint64_t at = stream_input_at(&xz->stream);

    if (r == LZMA_DATA_ERROR) /* liblzma does not distinguish them */
        return error_set(err, ERROR_FORMAT, 0,
                         "xz: damaged data, or trailing garbage, near byte "
                         "%" PRIu64,
                         at);
    if (r == LZMA_MEMLIMIT_ERROR)
        return xz_refuse_memory(lzma_memusage(&xz->decoder), err);
    return xz_explain(r, at, err);
}

static int xz_sequential_step(struct stream *stream, uint8_t *buf, size_t len,
                              size_t *got, struct error *err)
{
    struct xz_sequential *xz = (struct xz_sequential *)stream;
    lzma_ret r;

    *got = 0;
    if (stream_refill(stream, err) < 0)
        return -1;
    r = xz_code(stream, &xz->decoder, buf, len, got);
    stream->has_ended = r == LZMA_STREAM_END;
    return r == LZMA_OK || stream->has_ended
               ? 0
               : xz_sequential_explain(xz, r, err);
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

    stream_seek_input(&xz->stream, 0);
    xz->stream.out = 0;
    return r == LZMA_OK ? 0 : xz_sequential_explain(xz, r, err);
}

static int xz_sequential_seek(struct stream *stream, uint64_t offset,
                              struct error *err)
{
    if (offset >= stream->out)
        return 0;
    return begin((struct xz_sequential *)stream, err);
}

static void xz_sequential_close(struct stream *stream)
{
    lzma_end(&((struct xz_sequential *)stream)->decoder);
}

static const struct stream_ops xz_sequential_ops = {
    .name = "xz: ",
    .step = xz_sequential_step,
    .seek = xz_sequential_seek,
    .close = xz_sequential_close,
};

int xz_sequential_open(struct file *file, struct peek_pipe *pipe,
                       uint64_t size_bytes, bool in_threads,
                       struct stream **stream, struct error *err)
{
    struct xz_sequential *xz = stream_create(sizeof(*xz), &xz_sequential_ops,
                                             file, pipe, err);

    if (!xz)
        return -1;
    xz->in_threads = in_threads;
    xz->stream.size_bytes = size_bytes;
    if (pipe)
        xz->stream.host_bytes = size_bytes;
    xz->stream.is_sequential = true;
    if (begin(xz, err) == 0) {
        *stream = &xz->stream;
        return 0;
    }
    stream_close(&xz->stream);
    return -1;
}
