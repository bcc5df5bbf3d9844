/*
 * checkpointer.h - saves the checkpoint record of a target's unfinished disk.
 *
 * Every few seconds, on a thread of its own, it notes which chunks are written,
 * flushes the disk, and only then writes them to the record.  A chunk is struck
 * from the record before it is overwritten.
 *
 * The chunks in the record of an earlier process are claims: they say what to
 * read, and prove nothing.  A claim stays in the record until its chunk is read
 * or struck, so that a process that is killed soon loses no claim.
 */
#ifndef CW_RESUME_CHECKPOINTER_H
#define CW_RESUME_CHECKPOINTER_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "job/task.h"
#include "record/checkpoint_file.h"
#include "sink/sink.h"

struct checkpointer {
    struct cw_job *job; /* borrowed, like the next three */
    struct sink *sink;
    struct chunk_bitmap *on_disk;
    struct digest *digest;
    char *path;                    /* owned; NULL: saves no record */
    uint8_t key[DIGEST_MAC_BYTES]; /* authenticates the record */
    bool has_key;
    struct checkpoint_head head;
    struct chunk_bitmap snapshot; /* chunks that are being saved */
    struct digest *recorded;      /* owned; their digests */
    struct task task;
    uint64_t every_ns;
    uint64_t saved_ns;         /* end of the last save */
    uint64_t took_ns;          /* its duration */
    uint64_t saved_count;      /* number of chunks in it */
    uint64_t saved_data_bytes; /* data written until then */
    bool is_warned;            /* has logged that it cannot be written */

    pthread_mutex_t lock;        /* of the fields below, on_disk and snapshot */
    struct chunk_bitmap claimed; /* by the record, and not read yet */
    bool has_record;
    bool is_stale;    /* the record could not be removed: do not load it */
    unsigned strikes; /* number of checkpointer_strike() that removed chunks */
};

/* state_dir: as for sink_state_path(); every_ns: time between saves.
 * End with checkpointer_close(). */
void checkpointer_open(struct checkpointer *checkpointer, struct cw_job *job,
                       struct sink *sink, const char *state_dir,
                       uint64_t every_ns);

/*
 * Binds to a disk; borrows on_disk and digest until the next call or the end.
 * head: complete except for its sink.  key: DIGEST_MAC_BYTES; NULL: the record
 * cannot be authenticated.
 */
int checkpointer_bind(struct checkpointer *checkpointer,
                      const struct checkpoint_head *head, const uint8_t *key,
                      struct chunk_bitmap *on_disk, struct digest *digest,
                      struct error *err);

/*
 * Loads the record of the bound disk, if there is one, into claimed, recorded
 * and head.  If the record is unusable, logs why and claims nothing.
 * *is_authentic: the record was written with our key.
 */
enum checkpoint_file_result checkpointer_load(struct checkpointer *checkpointer,
                                              bool *is_authentic);

/* Moves all claims to on_disk, with the recorded digests. */
void checkpointer_trust(struct checkpointer *checkpointer);

/*
 * Any one thread: chunk was read, and its digest is in the bound digests.  Adds
 * it to on_disk.  False: the record claimed another digest.
 */
bool checkpointer_found(struct checkpointer *checkpointer, uint64_t chunk);

/* True if the record claims chunk, or any chunk.  While no lane runs. */
bool checkpointer_claims(const struct checkpointer *checkpointer,
                         uint64_t chunk);
bool checkpointer_claims_any(const struct checkpointer *checkpointer);

/* Drops the claims, not the record. */
void checkpointer_forget_claims(struct checkpointer *checkpointer);

/*
 * Any thread, before it overwrites [first, first+count): removes them from
 * on_disk and from the record.  -1: the record cannot be changed, so do not
 * overwrite them.
 */
int checkpointer_strike(struct checkpointer *checkpointer, uint64_t first,
                        uint64_t count, struct error *err);

/* Main thread, often: saves when a save is due.  -1: a flush failed. */
int checkpointer_tick(struct checkpointer *checkpointer, struct error *err);

/* Saves now, if chunks have changed.  -1: the flush failed. */
int checkpointer_save(struct checkpointer *checkpointer, struct error *err);

/*
 * Saves that the disk is whole and equal to the source's, with its digest root
 * (DIGEST_ROOT_BYTES): a restarted process only has to report DONE.  -1: the
 * flush failed.
 */
int checkpointer_save_finished(struct checkpointer *checkpointer,
                               const uint8_t *root, struct error *err);

/* Waits for a running save.  -1: its flush failed. */
int checkpointer_wait(struct checkpointer *checkpointer, struct error *err);

/* Removes the record, as the disk is complete or is written from the beginning.
 * -1: it is still there. */
int checkpointer_remove(struct checkpointer *checkpointer, struct error *err);

/* Marks the disk as one that a delta changes in place, until
 * checkpointer_retire().  Without a place for a record there is no mark.
 * ERROR_SYSTEM. */
int checkpointer_mark_dirty(struct checkpointer *checkpointer,
                            struct error *err);

/*
 * Removes the record of a finished disk, once the source knows or has not called
 * in time.  If the process is killed meanwhile and started again, it finds the
 * clone finished; after the last step, it finds nothing.
 */
int checkpointer_retire(struct checkpointer *checkpointer, struct error *err);

/* Tolerates a zeroed one. */
void checkpointer_close(struct checkpointer *checkpointer);

#endif
