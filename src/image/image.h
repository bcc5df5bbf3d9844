/*
 * image.h - a source disk, whatever its format: a size, a map, and bytes.
 *
 * An image is immutable while open and belongs to one lane (one thread); open
 * it once per lane.  Offsets and lengths are bytes of the virtual disk.
 */
#ifndef CW_IMAGE_IMAGE_H
#define CW_IMAGE_IMAGE_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "image/stream/byte_source.h"
#include "io/file.h"
#include "io/hole_check.h"
#include "io/io_queue.h"
#include "io/source_guard.h"
#include "plan/extent.h"

/* See image_options.takes_any_size. */
#define IMAGE_SIZE_UNKNOWN UINT64_MAX

struct image;
struct peek_pipe;
struct stream;

struct image_ops {
    const char *name; /* "raw", "qcow2": for logs and tests */

    /*
     * Appends to out the extents of [offset, offset+length): ascending,
     * adjacent, covering exactly that range.  Required.
     */
    int (*map)(struct image *img, uint64_t offset, uint64_t length,
               struct extent_list *out, struct error *err);

    /*
     * NULL, or: the chunks come in an order of the image's own (it is read
     * once, and its clusters lie as they lie).  Names the next one: 1, 0 when
     * all have been named, each once, -1.  Until the next call, map() and one
     * read() of that chunk, and of nothing else, are allowed.  Blocks.
     */
    int (*next)(struct image *img, uint64_t *chunk, struct error *err);

    /*
     * Starts filling io->buf with io->len bytes at io->offset of the disk.
     * io is borrowed until it completes; it completes exactly once, from
     * io_queue_reap() of the ring given at open.  The end of the image inside
     * the range is an error, so a short read cannot happen.  Required.
     */
    void (*read)(struct image *img, struct io *io);

    /*
     * Proves what was read against the container's own checksums, where
     * those stand behind it.  Blocks.  Default: there are none.
     */
    int (*finish)(struct image *img, struct error *err);

    /* Frees img, but not what image_close() owns.  Tolerates a half-opened
     * one.  Required. */
    void (*close)(struct image *img);
};

/* What the image is: found out by content, or known better by the user. */
enum image_format {
    IMAGE_FORMAT_AUTO,
    IMAGE_FORMAT_RAW,
    IMAGE_FORMAT_QCOW2
};

/* What it is wrapped in. */
enum image_compression {
    IMAGE_COMPRESSION_AUTO,
    IMAGE_COMPRESSION_NONE,
    IMAGE_COMPRESSION_GZIP,
    IMAGE_COMPRESSION_XZ,
    IMAGE_COMPRESSION_ZSTD /* with takes_any_size only */
};

struct image {
    const struct image_ops *ops;
    const char *path;                   /* borrowed from the options */
    enum image_format format;           /* never AUTO once open */
    enum image_compression compression; /* never AUTO once open */
    uint64_t virtual_bytes;             /* fixed once open; whole sectors */
    uint64_t padding_bytes; /* of those, zeros behind the container's own */
    uint64_t host_bytes;    /* allocated by the container, for reports */
    enum file_mode mode;    /* how its bytes are read */
    bool is_sequential;     /* only reading in order, by one lane, is cheap */
    bool is_decoded;        /* reading costs CPU: a lane for each CPU pays */
    bool reads_holes;       /* holes of its file are read, not skipped */
    struct stream *stream;  /* owned by image_close(); NULL: not compressed */
    struct image *backing;  /* owned by image_close(); NULL: there is none */
    char *backing_path;     /* owned by image_close() */
    struct peek_pipe *pipe; /* of the first image; owned by image_close() */

    /* What tells whether its file is in use, or has changed; of the first
     * image, owned by image_close().  NULL: a pipe, or opened with `like`. */
    struct source_guard *guard;

    /* Lanes had better not divide pieces of so many bytes of the disk, each
     * begins at a multiple of; 0: no matter. */
    uint64_t block_bytes;

    /* Words for the first read that failed, where its -errno says too
     * little; kind ERROR_NONE: the errno is all there is. */
    struct error failure;

    char format_text[24]; /* "raw", "qcow2 in xz": for people */
};

struct image_options {
    const char *path; /* borrowed for the life of the image; "-": stdin */

    /* NULL, or where the container comes from: path is then for people only,
     * and all is as if it came through a pipe.  Borrowed as path is. */
    const struct byte_source *input;
    enum file_mode mode;    /* wish */
    enum hole_policy holes; /* may holes of a file be skipped unread? */
    struct io_queue *queue; /* of the lane; borrowed; NULL: map only, no read */
    enum image_format format;

    /* AUTO with IMAGE_FORMAT_RAW is NONE: who says raw means these bytes. */
    enum image_compression compression;

    /* Readable as soon as nobody waits for what standard input has still to
     * give: reading it then fails with ERROR_CANCELLED.  0: never. */
    int stop_fd;

    /* Of the disk in a gzip file, where known: saves a pass.  0: unknown.
     * What comes through a pipe must be known. */
    uint64_t stream_bytes;

    /* Where backing files may be: each is opened beneath this directory,
     * never through a link.  NULL: an image that has one is refused. */
    const char *backing_dir;

    /* Whoever reads takes chunks as image_next() names them: then a QCOW2 in
     * a stream is decoded once.  Its map is not known before. */
    bool takes_any_order;

    /*
     * Whoever reads takes a raw disk whose size shows only at its end: of
     * what comes through a pipe with no size said, virtual_bytes is then
     * IMAGE_SIZE_UNKNOWN, and its stream is read with stream_next() and
     * nothing else.  With takes_any_order.
     */
    bool takes_any_size;

    /* Read what is in use, and what changes meanwhile.  For a disk that we
     * write ourselves, and where the user says so. */
    bool allow_in_use;

    /* Clusters of a qcow2 to compare with libqcow before it is believed. */
    unsigned cross_check;

    /*
     * NULL, or an image of the same path, open for longer than this one:
     * what it found out is taken from it (the format, the size of a stream),
     * and the checks of a whole image are not made again.  The first open
     * passes NULL, each lane the first.
     */
    const struct image *like;
};

/*
 * On success *img is owned by the caller; end it with image_close().
 * Fails with ERROR_SOURCE_IO (open, stat, read), ERROR_FORMAT (damaged, not
 * supported, not what the options say) or ERROR_CHANGED (in use, or no longer
 * what `like` was opened as); *img is then NULL.
 */
int image_open(const struct image_options *options, struct image **img,
               struct error *err);

/*
 * For the ops: keeps the words of a failed read, with the path in front, in
 * img->failure.  Returns the -errno to complete the read with.
 */
int image_fail(struct image *img, struct error *err);

/*
 * Puts into err why io, an image_read() of img that completed with an error,
 * failed.  Always returns -1.
 */
int image_read_error(const struct image *img, const struct io *io,
                     struct error *err);

static inline int image_map(struct image *img, uint64_t offset, uint64_t length,
                            struct extent_list *out, struct error *err)
{
    assert(length > 0 && offset <= img->virtual_bytes &&
           length <= img->virtual_bytes - offset);
    return img->ops->map(img, offset, length, out, err);
}

/* Does image_next() say which chunk is read? */
static inline bool image_has_order(const struct image *img)
{
    return img->ops->next != NULL;
}

static inline int image_next(struct image *img, uint64_t *chunk,
                             struct error *err)
{
    return img->ops->next(img, chunk, err);
}

static inline void image_read(struct image *img, struct io *io)
{
    assert(io->len > 0 && io->offset <= img->virtual_bytes &&
           io->len <= img->virtual_bytes - io->offset);
    img->ops->read(img, io);
}

/*
 * Call once after the last read has completed, before the disk is called
 * whole.  Fails with ERROR_FORMAT when a checksum is wrong.
 */
static inline int image_finish(struct image *img, struct error *err)
{
    return img->ops->finish ? img->ops->finish(img, err) : 0;
}

/* Tolerates NULL. */
void image_close(struct image *img);

#endif
