/*
 * format.h - the image formats and compressions that clonewire reads: one table
 * of each, in format.c.
 *
 * docs/architecture.md has the steps to add a format.
 */
#ifndef CW_IMAGE_FORMAT_H
#define CW_IMAGE_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "clonewire/clonewire.h"
#include "image/image.h"
#include "image/image_host.h"
#include "image/stream/stream.h"
#include "io/file.h"

/* Bytes by which a format is recognized. */
struct signature {
    uint16_t at, len;  /* place and length of magic */
    const char *magic; /* NULL: none */
    bool (*confirm)(const uint8_t *bytes, size_t len); /* or NULL */
};

/* From the header of an image. */
struct format_header {
    void *own; /* owned, free(): for the format's open() */
    uint64_t virtual_bytes;

    /* Text from the image, so an attacker's; borrowed from own. */
    const char *backing_name;   /* NULL: no backing file */
    const char *backing_format; /* its format, by QEMU's name; "": not given */
};

/* The parts of an image that is being opened.  A format takes what it keeps
 * (TAKE_PTR, file_take()); the caller releases the rest. */
struct layer {
    const struct image_options *options;
    struct file file;      /* owned; closed if there is a stream */
    struct stream *stream; /* owned; NULL: the image lies in file */
    struct format_header header;
    struct image *backing; /* owned; NULL: there is none */
    char *backing_path;    /* owned; backing->path */
};

/*
 * Begins *img: takes all parts of layer but its file, and sets what follows
 * from them.  The format sets virtual_bytes.
 */
void image_init(struct image *img, const struct image_ops *ops,
                struct layer *layer);

/* The bytes of the image: those of stream, or of file if it is NULL.  Both are
 * borrowed. */
struct image_host image_host_of(struct file *file, struct stream *stream);

struct format {
    enum cw_format id;
    const char *name;  /* of --format, and of QEMU: "qcow2" */
    const char *title; /* for messages: "QCOW2" */

    struct signature heads[4]; /* in the first 512 bytes, or */
    struct signature tail;     /* in the last 512 of a file */

    /*
     * Reads and checks the header.  Only its first FORMAT_HEAD_BYTES may be
     * there: host->size_bytes is then INT64_MAX.  NULL: the format has no
     * header, and the size of the disk is that of its container.
     */
    int (*describe)(const struct image_host *host, struct format_header *header,
                    struct error *err);

    /*
     * Makes *img of the layer.  A header that names a backing file has
     * layer->backing.  Checks everything before the disk is used, unless
     * options->like has been checked.  May refuse a stream.
     */
    int (*open)(struct layer *layer, struct image **img, struct error *err);

    /*
     * The same for a stream from a pipe, or one that is best decoded only
     * once: at its beginning, and read with stream_next().  The image has no
     * backing file.  layer->stream may be NULL: the image then only serves as
     * options->like.  layer->file, if it is open, is the container, to read
     * what one pass does not give.  NULL: such a stream is refused.
     */
    int (*open_in_order)(struct layer *layer, struct image **img,
                         struct error *err);
};

struct compression {
    enum image_compression id;
    const char *name;
    struct signature head;
};

/* The head that is examined before a pipe is consumed: less than what the pipe
 * can return twice, since compressed input may be longer than its content. */
#define FORMAT_HEAD_BYTES 32768U

/* Each ends with a row without a name. */
extern const struct format formats[];
extern const struct compression compressions[];

/* id: not AUTO. */
const struct format *format_of(enum cw_format id);

/* NULL: there is none with this name. */
const struct format *format_named(const char *name);

#endif
