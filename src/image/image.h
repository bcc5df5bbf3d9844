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
#include "clonewire/clonewire.h"
#include "image/stream/byte_source.h"
#include "io/file.h"
#include "io/hole_check.h"
#include "io/io_queue.h"
#include "io/source_guard.h"
#include "plan/chunk_bitmap.h"
#include "plan/extent.h"

/* See image_options.takes_any_size. */
#define IMAGE_SIZE_UNKNOWN UINT64_MAX

struct image;
struct peek_pipe;
struct spool;
struct stream;
struct tree_index;

struct image_ops {
    const char *name; /* "raw", "qcow2": for logs and tests */

    /*
     * Appends to out the extents of [offset, offset+length): ascending,
     * adjacent, covering exactly that range.  Required.
     */
    int (*map)(struct image *img, uint64_t offset, uint64_t length,
               struct extent_list *out, struct error *err);

    /*
     * NULL, or: the image is read once, in the order of its clusters.  Names
     * the next chunk and returns 1; 0 after each has been named once; -1.
     * Until the next call, map() and one read() of that chunk, and of no
     * other, are allowed.  Blocks.
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
     * Is the container still there, and the one that was opened?  1: it was
     * lost and is opened again, so it may hold something else now; 0; -1.
     * Blocks.  Default: the guard of its file knows.
     */
    int (*check)(const struct image *img, struct error *err);

    /*
     * Adds to changed (of this disk) the chunks that the bitmap of the options
     * names.  Blocks.  Default: the image has no bitmaps.
     */
    int (*changed)(struct image *img, struct chunk_bitmap *changed,
                   struct error *err);

    /*
     * Verifies what was read against the checksums of the container that
     * follow it.  Blocks.  Default: there are none.
     */
    int (*finish)(struct image *img, struct error *err);

    /* Frees img, but not what image_close() owns.  Tolerates a half-opened
     * one.  Required. */
    void (*close)(struct image *img);
};

enum image_compression {
    IMAGE_COMPRESSION_AUTO,
    IMAGE_COMPRESSION_NONE,
    IMAGE_COMPRESSION_GZIP,
    IMAGE_COMPRESSION_XZ,
    IMAGE_COMPRESSION_ZSTD /* with takes_any_size or scratch_dir only */
};

struct image {
    const struct image_ops *ops;
    const char *path;                   /* borrowed from the options */
    enum cw_format format;              /* never AUTO once open */
    enum image_compression compression; /* never AUTO once open */
    uint64_t virtual_bytes;             /* fixed once open; whole sectors */
    uint64_t padding_bytes; /* of those, zeros after those of the container */
    uint64_t host_bytes;    /* allocated by the container, for reports */
    enum cw_io_mode mode;   /* how its bytes are read */
    bool is_sequential;     /* only reading in order, by one lane, is cheap */
    bool is_one_lane;       /* at any offset, but by one lane at a time */
    bool is_decoded;        /* reading costs CPU: a lane for each CPU pays */
    bool reads_holes;       /* holes of its file are read, not skipped */
    const struct tree_index *tree; /* of a directory; NULL: it is a disk */
    struct stream *stream;  /* owned by image_close(); NULL: not compressed */
    struct image *backing;  /* owned by image_close(); NULL: there is none */
    char *backing_path;     /* owned by image_close() */
    struct peek_pipe *pipe; /* of the first image; owned by image_close() */
    struct spool *spool;    /* as pipe; NULL: the container lies elsewhere */
    uint64_t spool_bytes;   /* length of the container in spool */

    /* Detects that its file is in use, or has changed; of the first image,
     * owned by image_close().  NULL: a pipe, or opened with `like`. */
    struct source_guard *guard;

    /* It is cheaper if one lane reads all of a block of this size, at a
     * multiple of it; 0: no matter. */
    uint64_t block_bytes;

    /* Describes the first failed read, if it is more than an errno; else its
     * kind is ERROR_NONE. */
    struct error failure;

    char format_text[32]; /* "raw", "qcow2 in xz in gzip": for people */
};

/* How to log in at the server of an image; PEM files, or a file of pre-shared
 * keys.  NULL: not given. */
struct image_login {
    const char *cert_file, *key_file, *ca_file;
    const char *psk_file, *psk_identity;
};

struct image_options {
    /* Borrowed for the life of the image; "-": stdin; nbd://...: an export;
     * a directory: a disk made of its files. */
    const char *path;

    /* NULL, or what path is, a directory that lies as a target made it, is
     * read by; borrowed. */
    const struct tree_index *tree;
    struct image_login login; /* the strings are borrowed as path is */
    const char *bitmap;       /* for image_changed(); NULL: none; borrowed */

    /* NULL, or the source of the container, which is read as from a pipe;
     * path is then only for people.  Borrowed as path is. */
    const struct byte_source *input;
    enum cw_io_mode mode;   /* wish */
    enum cw_holes holes;    /* may holes of a file be skipped unread? */
    struct io_queue *queue; /* of the lane; borrowed; NULL: map only, no read */
    enum cw_format format;

    /* AUTO with CW_FORMAT_RAW is NONE: raw means these bytes. */
    enum image_compression compression;

    /* A file descriptor that becomes readable when a read of standard input
     * must be abandoned: it fails with ERROR_CANCELLED.  0: none. */
    int stop_fd;

    /* The size of the disk in a gzip file, if known: saves a pass.  0:
     * unknown.  Required for a raw disk from a pipe. */
    uint64_t stream_bytes;

    /* The directory that contains the backing files; no link is followed.
     * NULL: an image that has a backing file is refused. */
    const char *backing_dir;

    /*
     * A directory for temporary files: a container that is read more than once
     * or out of order, but comes through a pipe or is packed twice, is decoded
     * to one.  NULL: such an image is refused.
     */
    const char *scratch_dir;

    /* The disk is written to the filesystem of scratch_dir: what is known of
     * its size is kept free. */
    bool scratch_has_disk;

    /* The caller reads the chunks that image_next() names: a QCOW2 in a
     * stream is then decoded once.  Its map is not known before. */
    bool takes_any_order;

    /*
     * The caller accepts a raw disk from a pipe without a size: virtual_bytes
     * is then IMAGE_SIZE_UNKNOWN, and the caller reads its stream only with
     * stream_next().  Requires takes_any_order.
     */
    bool takes_any_size;

    /* Read a disk that is in use or changes: one that we write ourselves, or
     * at the user's request. */
    bool allow_in_use;
    bool no_link; /* path itself must not be a symbolic link */

    /* Number of clusters of a qcow2 to compare with libqcow first. */
    unsigned cross_check;

    /*
     * NULL, or an image of the same path that stays open longer.  The new
     * one takes its format and the size of its stream, and does not repeat the
     * checks of a whole image.  The first open passes NULL, each lane the
     * first.
     */
    const struct image *like;
};

/*
 * On success *img is owned by the caller; end it with image_close().
 * Fails with ERROR_SOURCE_IO (open, stat, read), ERROR_FORMAT (damaged, not
 * supported, not as in the options) or ERROR_CHANGED (in use, or changed since
 * `like` was opened); *img is then NULL.
 */
int image_open(const struct image_options *options, struct image **img,
               struct error *err);

/*
 * For the ops: keeps the error of a failed read, with the path in front, in
 * img->failure.  Returns the -errno to complete the read with.
 */
int image_fail(struct image *img, struct error *err);

/*
 * Sets *err to the reason why io, an image_read() of img, completed with an
 * error.  Always returns -1.
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

/* ERROR_USAGE: the image has no such bitmap. */
static inline int image_changed(struct image *img, struct chunk_bitmap *changed,
                                struct error *err)
{
    if (img->ops->changed)
        return img->ops->changed(img, changed, err);
    return error_set(err, ERROR_USAGE, 0,
                     "%s: --bitmap names a bitmap of an NBD export, and this "
                     "is a file or device; give --changed-extents",
                     img->path);
}

/* Does image_next() give the order of the chunks? */
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
 * Call once after the last read has completed.  The disk is whole only if this
 * succeeds; fails with ERROR_FORMAT if a checksum is wrong.
 */
static inline int image_finish(struct image *img, struct error *err)
{
    return img->ops->finish ? img->ops->finish(img, err) : 0;
}

/* Tolerates NULL. */
void image_close(struct image *img);

#endif
