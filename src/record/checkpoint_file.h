/*
 * checkpoint_file.h - a checkpoint in a file: whole or not at all.
 *
 * Saved under a temporary name, flushed, renamed, and the directory flushed;
 * so a crash leaves the old one or the new one.
 */
#ifndef CW_RECORD_CHECKPOINT_FILE_H
#define CW_RECORD_CHECKPOINT_FILE_H

#include "base/error.h"
#include "record/checkpoint.h"

/*
 * Writes a record to path's temporary name and flushes it.  key:
 * DIGEST_MAC_BYTES; NULL: the record cannot be authenticated.
 * ERROR_TARGET_IO.
 */
int checkpoint_file_write(const char *path, const struct checkpoint_head *head,
                          const struct chunk_bitmap *held,
                          const struct digest *digest, const uint8_t *key,
                          struct error *err);

/* Gives what was written its name, durably. */
int checkpoint_file_commit(const char *path, struct error *err);

/* Forgets what was written. */
void checkpoint_file_abandon(const char *path);

/* Removes the record, durably; there need not be one. */
int checkpoint_file_remove(const char *path, struct error *err);

/* Reads what the record at path is bound to; false: there is none, its head is
 * damaged, or another user may have written it. */
bool checkpoint_file_look(const char *path, struct checkpoint_head *head);

enum checkpoint_file_result {
    CHECKPOINT_FILE_OK,
    CHECKPOINT_FILE_NONE,    /* missing, unreadable, or another user's */
    CHECKPOINT_FILE_DAMAGED, /* torn, or of another version */
    CHECKPOINT_FILE_FOREIGN, /* of *wanted's job, but not of its disk */
    CHECKPOINT_FILE_OTHER_JOB,
};

/*
 * Loads the record at path that is bound to *wanted (its source, stamp and
 * disk_bytes are what is found) into held and digest, both empty and of
 * wanted's disk.  *is_authentic: it was written with key, as of
 * checkpoint_file_write().  On any other result than CHECKPOINT_FILE_OK they may hold
 * something: throw them away.  path: "" is as if there were none.
 */
enum checkpoint_file_result checkpoint_file_load(
    const char *path, struct checkpoint_head *wanted, struct chunk_bitmap *held,
    struct digest *digest, const uint8_t *key, bool *is_authentic);

#endif
