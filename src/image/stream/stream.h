/*
 * stream.h - the bytes inside a compressed container, at any offset.  Seeking
 * back decodes again from the last restart point.  Belongs to one thread.
 *
 *   file or pipe --stream_refill()--> input --ops->step()--> decoded bytes
 *
 * stream_read() and stream_next() are the same for all formats; a decoder adds
 * one step of decoding and, if it can go back, its restart points.
 */
#ifndef CW_IMAGE_STREAM_STREAM_H
#define CW_IMAGE_STREAM_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "clonewire/clonewire.h"
#include "io/file.h"

/* The size of a stream that is read with stream_next(), until its end is
 * reached. */
#define STREAM_SIZE_UNKNOWN UINT64_MAX

#define STREAM_INPUT_BYTES   (256U << 10)
#define STREAM_SCRATCH_BYTES (64U << 10)

struct peek_pipe;
struct stream;

struct stream_ops {
    const char *name; /* begins the messages: "gzip: "; "": not compressed */

    /*
     * Decodes up to len (> 0) bytes from stream->out on into buf, and adds
     * their count, *got, to out.  *got may be 0 before the end.  Sets
     * has_ended after the last byte, once every checksum is right.  Fails with
     * ERROR_FORMAT (damaged, cut off, wrong checksum), ERROR_SOURCE_IO or
     * ERROR_SYSTEM.  Required.
     */
    int (*step)(struct stream *stream, uint8_t *buf, size_t len, size_t *got,
                struct error *err);

    /*
     * Prepares a read at offset, which is not out: sets out to a place at or
     * before offset.  Does nothing if decoding up to offset is cheaper.
     * Default: the stream is only read forward.
     */
    int (*seek)(struct stream *stream, uint64_t offset, struct error *err);

    /* See stream_prove().  Default: decodes to the end of the stream. */
    int (*prove)(struct stream *stream, struct error *err);

    /* Frees the decoder, but not stream.  Tolerates a half-opened one.
     * Required. */
    void (*close)(struct stream *stream);
};

struct stream {
    const struct stream_ops *ops;
    uint64_t size_bytes;  /* decoded size; fixed once open, or UNKNOWN */
    uint64_t host_bytes;  /* of the container, for reports */
    enum cw_io_mode mode; /* how the container is read */
    uint64_t block_bytes; /* decoded from their beginning; 0: any offset */
    bool is_sequential;   /* only reading forward is cheap */
    bool is_proven;       /* every checksum has been verified */

    /*
     * Set by a reader that skips bytes: bytes it did read are proven before
     * the next seek.  A reader of everything does not need this: the last byte
     * before a checksum proves those before it.
     */
    bool reads_in_part;

    /* ---- for decoders ---- */

    uint64_t out;     /* offset of the next decoded byte */
    bool has_ended;   /* there is nothing left to decode */
    uint8_t *scratch; /* owned; STREAM_SCRATCH_BYTES, for discarded output */

    struct peek_pipe *pipe; /* borrowed; NULL: the container is a file */
    struct file file;       /* owned; closed if there is a pipe */
    struct file_window window;
    uint8_t *input;       /* owned; STREAM_INPUT_BYTES */
    const uint8_t *at;    /* in input: the next byte to decode */
    size_t left;          /* bytes at `at` */
    uint64_t in_end;      /* container offset after them */
    bool input_has_ended; /* the container has no bytes after them */
};

/*
 * Fills buf with exactly len bytes at offset, all inside size_bytes.  Reading
 * the last byte also verifies what follows it.  Blocks.  Fails as
 * stream_ops.step() does.
 */
int stream_read(struct stream *stream, void *buf, size_t len, uint64_t offset,
                struct error *err);

/*
 * Reads up to len bytes after those of the last call, at first from the
 * beginning.  Returns 0 at the end, and only if every checksum is right; then
 * size_bytes is known.  Fails as stream_ops.step() does.  Not to be mixed with
 * stream_read() before the end.
 */
ssize_t stream_next(struct stream *stream, void *buf, size_t len,
                    struct error *err);

/* Verifies the checksum of the bytes read last, decoding up to it.  Fails as
 * stream_ops.step() does. */
int stream_prove(struct stream *stream, struct error *err);

/* Tolerates NULL. */
void stream_close(struct stream *stream);

/* ---- for decoders ---- */

/*
 * Allocates a decoder of size bytes, zeroed, that begins with a struct stream,
 * and prepares that to read pipe (borrowed) or, if it is NULL, file.  file is
 * moved, also on failure.  NULL with *err: out of memory.
 */
void *stream_create(size_t size, const struct stream_ops *ops,
                    struct file *file, struct peek_pipe *pipe,
                    struct error *err);

/* Fails with ERROR_SYSTEM: out of memory. */
int stream_no_memory(const struct stream *stream, struct error *err);

/* Reads more input if none is left.  At the end of the container, which is not
 * an error, left stays 0 and input_has_ended is set. */
int stream_refill(struct stream *stream, struct error *err);

/* Drops the input; stream_refill() reads on from offset of the container. */
void stream_seek_input(struct stream *stream, uint64_t offset);

/* The offset in the container of the next byte to decode. */
static inline uint64_t stream_input_at(const struct stream *stream)
{
    return stream->in_end - stream->left;
}

#endif
