/* Any bytes as a gzip file: refused, or read to the end and from the middle. */
#include "fuzz.h"

#include <assert.h>
#include <sys/mman.h>
#include <unistd.h>

#include "image/gzip.h"

#define MAX_BYTES (64U << 10)

/* 0, or -1 as soon as something is wrong with it. */
static int read_all(struct stream *stream, struct error *err)
{
    static uint8_t buf[256 << 10];
    uint64_t middle = stream->size_bytes / 2;

    for (uint64_t at = 0; at < stream->size_bytes; at += sizeof(buf)) {
        uint64_t left = stream->size_bytes - at;

        if (stream_read(stream, buf,
                        left < sizeof(buf) ? (size_t)left : sizeof(buf), at,
                        err) < 0)
            return -1;
    }
    if (stream->size_bytes > 0 && stream_read(stream, buf, 1, middle, err) < 0)
        return -1;
    return stream_prove(stream, err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct file file = FILE_CLOSED;
    struct gzip_options options = { .file = &file, .path = "fuzz" };
    struct stream *stream;
    struct error err = { 0 };

    if (len == 0 || len > MAX_BYTES)
        return 0;
    file.fd = memfd_create("fuzz", MFD_CLOEXEC);
    file.mode = FILE_MODE_BUFFERED;
    file.size_bytes = len;
    if (file.fd < 0 || write(file.fd, data, len) != (ssize_t)len)
        return 0;
    if (gzip_open(&options, &stream, &err) < 0) {
        assert(err.kind == ERROR_FORMAT);
        return 0;
    }
    if (read_all(stream, &err) < 0)
        assert(err.kind == ERROR_FORMAT);
    stream_close(stream);
    return 0;
}
