/*
 * spool.h - a temporary file without a name, for bytes that come once and are
 * needed again.
 *
 * It takes at most the space that its filesystem had free when it was opened,
 * less what the caller keeps.  Used by one thread at a time; the files of
 * spool_share() belong to who asked for them.
 */
#ifndef CW_IO_SPOOL_H
#define CW_IO_SPOOL_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "io/file.h"

struct spool;

/*
 * dir: a directory, borrowed.  keep_free_bytes: of its free space, not to be
 * used.  The caller owns *spool.  Fails with ERROR_SYSTEM; *spool is then NULL.
 */
int spool_open(struct spool **spool, const char *dir, uint64_t keep_free_bytes,
               struct error *err);

/* Accepts NULL. */
void spool_close(struct spool *spool);

/*
 * Writes len bytes at offset, each of which is written only once; zeros are
 * left out.  A failure is kept for spool_check(), and later bytes are dropped.
 */
void spool_write(struct spool *spool, const void *buf, size_t len,
                 uint64_t offset);

/*
 * Fails if bytes were lost: with ERROR_FORMAT if the space is full, since
 * the image then cannot be read, or with ERROR_SYSTEM.
 */
int spool_check(const struct spool *spool, struct error *err);

/* Frees the space of [offset, offset+length), which is not read again. */
void spool_punch(struct spool *spool, uint64_t offset, uint64_t length);

/* Makes *file a descriptor to read the spool, size_bytes long.  The caller
 * closes it.  Fails as spool_check(). */
int spool_share(struct spool *spool, uint64_t size_bytes, struct file *file,
                struct error *err);

#endif
