/* source_file.h - opens the file or device an image lives in, and says what a
 * person can do when that fails. */
#ifndef CW_IMAGE_STREAM_SOURCE_FILE_H
#define CW_IMAGE_STREAM_SOURCE_FILE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "io/file.h"

/* Opens path, known to people as name, for reading.  Fails with
 * ERROR_SOURCE_IO. */
int source_file_open(struct file *file, const char *path, const char *name,
                     enum file_mode wish, struct error *err);

/* Makes *copy of an open file: another descriptor of the same, through the
 * page cache.  Fails with ERROR_SYSTEM. */
int source_file_dup(const struct file *file, struct file *copy,
                    struct error *err);

/* pread(2) through the page cache, not interrupted; or -errno. */
ssize_t source_file_read(const struct file *file, void *buf, size_t len,
                         uint64_t offset);

/* What is decoded here is read through the page cache, whatever the mode. */
void source_file_read_cached(struct file *file);

#endif
