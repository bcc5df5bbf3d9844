/* container.h - the file, device or pipe that holds an image, and its
 * decoder if it is compressed. */
#ifndef CW_IMAGE_CONTAINER_H
#define CW_IMAGE_CONTAINER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "image/image.h"
#include "image/probe.h"
#include "image/stream/stream.h"

struct container {
    const struct image_options *options;
    enum image_compression compression; /* set by the caller when known */
    struct file file;                   /* owned; closed: a pipe, or moved */
    struct peek_pipe *pipe;     /* NULL: a file; of options->like, or owned */
    uint64_t rest_bytes;        /* that the pipe has; 0: not known */
    struct spool *spool;        /* owned; NULL: not there */
    uint64_t spool_bytes;       /* length of the container in spool */
    struct source_guard *guard; /* owned; NULL: a pipe, or opened with like */
};

/* Opens real_path, which people know as options->path.  Standard input may be
 * a file after all: then it is read as one.  Fails as image_open(). */
int container_open(struct container *c, const char *real_path,
                   struct error *err);

/* Tolerates a half-opened one. */
void container_close(struct container *c);

/* Detects the format of the bytes as they are, before compression is set to
 * anything but NONE. */
int container_probe(const struct container *c, struct probe *probe,
                    struct error *err);

/* Reads the file as a pipe from now on: for zstd. */
int container_read_once(struct container *c, struct error *err);

/*
 * Goes one layer down: what the container decodes to, by compression, becomes
 * the container, which is read as a pipe.  The caller sets the compression of
 * that.
 */
int container_enter(struct container *c, struct error *err);

/*
 * Decodes the container to a file in options->scratch_dir, which takes its
 * place.  Reads all of it, and so proves its checksums.  Fails with
 * ERROR_FORMAT too if the scratch space is full.
 */
int container_spool(struct container *c, struct error *err);

/* Reads the first *len bytes of the content, or all of them.  Of an xz file,
 * reads the index at its end too: where it is cut off shows now. */
int container_read_head(const struct container *c, uint8_t *head, size_t *len,
                        struct error *err);

/*
 * Opens a decoder.  in_order: to be read with stream_next().  *stream stays
 * NULL if the content is not compressed and not from a pipe, or in order and
 * not to be read.  The file is moved into the stream; one of xz that is read
 * in order stays open, too, for a second reading, which a stream of gzip does
 * by itself.
 */
int container_open_stream(struct container *c, bool in_order,
                          struct stream **stream, struct error *err);

#endif
