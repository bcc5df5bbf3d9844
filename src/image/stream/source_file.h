/* source_file.h - opens the file or device that holds an image; errors name
 * the remedy. */
#ifndef CW_IMAGE_STREAM_SOURCE_FILE_H
#define CW_IMAGE_STREAM_SOURCE_FILE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "clonewire/clonewire.h"
#include "io/file.h"

/*
 * Opens path for reading.  Messages call it name.  Fails with ERROR_SOURCE_IO.
 */
int source_file_open(struct file *file, const char *path, const char *name,
                     enum cw_io_mode wish, struct error *err);

/* Makes *copy a second descriptor of an open file, through the page cache.
 * Fails with ERROR_SYSTEM. */
int source_file_dup(const struct file *file, struct file *copy,
                    struct error *err);

/*
 * pread(2) through the page cache, retried on EINTR.  Returns bytes or -errno.
 */
ssize_t source_file_read(const struct file *file, void *buf, size_t len,
                         uint64_t offset);

/*
 * The same for exactly len bytes.  Fails with ERROR_SOURCE_IO, or with
 * ERROR_CHANGED if the file ends before.
 */
int source_file_read_all(const struct file *file, void *buf, size_t len,
                         uint64_t offset, struct error *err);

/* Reads through the page cache from now on, whatever the mode: for decoders. */
void source_file_read_cached(struct file *file);

/* Moves *file out of its place, which is closed afterwards. */
static inline struct file file_take(struct file *file)
{
    struct file taken = *file;

    *file = (struct file)FILE_CLOSED;
    return taken;
}

#endif
