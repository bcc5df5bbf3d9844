/* Any bytes as a gzip file: refused, or read to the end and from the middle;
 * and the same bytes when they are read once. */
#include "fuzz.h"

#include <assert.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <unistd.h>

#include "image/stream/decoders.h"

#define MAX_BYTES (64U << 10)

static uint8_t buf[256 << 10];

static struct file input(const uint8_t *data, size_t len)
{
    struct file file = FILE_CLOSED;

    file.fd = memfd_create("fuzz", MFD_CLOEXEC);
    file.mode = CW_IO_MODE_BUFFERED;
    file.size_bytes = len;
    assert(file.fd >= 0 && write(file.fd, data, len) == (ssize_t)len);
    return file;
}

/* FNV-1a, to compare what is too much to keep. */
static uint64_t add(uint64_t sum, size_t len)
{
    for (size_t i = 0; i < len; i++)
        sum = (sum ^ buf[i]) * UINT64_C(0x100000001b3);
    return sum;
}

/* 0, or -1 as soon as something is wrong with it. */
static int read_all(struct stream *stream, uint64_t *sum, struct error *err)
{
    uint64_t middle = stream->size_bytes / 2;

    for (uint64_t at = 0; at < stream->size_bytes; at += sizeof(buf)) {
        uint64_t left = stream->size_bytes - at;
        size_t len = left < sizeof(buf) ? (size_t)left : sizeof(buf);

        if (stream_read(stream, buf, len, at, err) < 0)
            return -1;
        *sum = add(*sum, len);
    }
    if (stream->size_bytes > 0 && stream_read(stream, buf, 1, middle, err) < 0)
        return -1;
    return stream_prove(stream, err);
}

/* The same, in pieces of other sizes and without a way back. */
static int read_forward(struct stream *stream, uint64_t *sum, struct error *err)
{
    ssize_t n;

    while ((n = stream_next(stream, buf, 70001, err)) > 0)
        *sum = add(*sum, (size_t)n);
    return (int)n;
}

static bool reads(const uint8_t *data, size_t len, struct gzip_options *options,
                  uint64_t *sum)
{
    struct file file = input(data, len);
    struct stream *stream;
    struct error err = { 0 };
    int r;

    options->file = &file;
    options->path = "fuzz";
    r = gzip_open(options, &stream, &err);
    if (r == 0) {
        r = options->is_forward ? read_forward(stream, sum, &err)
                                : read_all(stream, sum, &err);
        options->size_bytes = stream->size_bytes;
        stream_close(stream);
    }
    options->file = NULL;
    assert(r == 0 || err.kind == ERROR_FORMAT);
    return r == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct gzip_options measured = { 0 }, forward = { .is_forward = true };
    uint64_t sum = 0, forward_sum = 0, known_sum = 0;
    bool is_right;

    if (len == 0 || len > MAX_BYTES)
        return 0;
    is_right = reads(data, len, &measured, &sum);
    assert(reads(data, len, &forward, &forward_sum) == is_right);
    assert(!is_right || sum == forward_sum);
    /* igzip, which decodes a stream of known size, agrees with zlib. */
    if (is_right && measured.size_bytes > 0)
        assert(reads(data, len, &measured, &known_sum) && sum == known_sum);
    return 0;
}
