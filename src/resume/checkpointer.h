/*
 * checkpointer.h - keeps the checkpoint of a target's unfinished disk true.
 *
 * Every few seconds, beside the main thread: take down which chunks are held,
 * flush the disk, and only then write them to the record.  A chunk that is
 * about to be overwritten is struck from the record first.
 *
 * What a record of an earlier process says is a claim: where to look, not a
 * proof.  Claims stay in the record until the chunk is looked at or struck, so
 * that a process that is killed soon loses none of them.
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
    struct cw_job *job; /* borrowed, as all of the disk */
    struct sink *sink;
    struct chunk_bitmap *on_disk;
    struct digest *digest;
    char *path;                    /* owned; NULL: no record is kept */
    uint8_t key[DIGEST_MAC_BYTES]; /* authenticates the record, */
    bool has_key;                  /* if there is one */
    struct checkpoint_head head;
    struct chunk_bitmap snapshot; /* what is being saved, with */
    struct digest *recorded;      /* owned; these digests */
    struct task task;
    uint64_t every_ns;
    uint64_t saved_ns;         /* when the last save ended */
    uint64_t took_ns;          /* how long it took */
    uint64_t saved_count;      /* chunks held then */
    uint64_t saved_data_bytes; /* and data written, of the job */
    bool is_warned;            /* the record cannot be written: said once */

    pthread_mutex_t lock; /* of what follows, held and snapshot: removing */
    struct chunk_bitmap claimed; /* by the record, and not held yet */
    bool has_record;
    bool is_stale; /* the record could not be removed: not to be read again */
    unsigned strikes; /* so often was something struck out */
};

/* state_dir: as of sink_state_path(); every_ns: between saves, 0: the
 * default.  End with checkpointer_close(). */
void checkpointer_open(struct checkpointer *checkpointer, struct cw_job *job,
                       struct sink *sink, const char *state_dir,
                       uint64_t every_ns);

/*
 * Binds to a disk, whose chunks and digests are borrowed until the next call
 * or the end.  head: complete but for its sink.  key: DIGEST_MAC_BYTES, or
 * NULL: the record cannot be authenticated.
 */
int checkpointer_bind(struct checkpointer *checkpointer,
                      const struct checkpoint_head *head, const uint8_t *key,
                      struct chunk_bitmap *on_disk, struct digest *digest,
                      struct error *err);

/*
 * Loads what the record of the disk bound to claims, if there is one: claimed,
 * recorded and head are then those of the record.  Another result is logged,
 * and nothing is claimed.  *is_authentic: the record was written with our key.
 */
enum checkpoint_file_result checkpointer_load(struct checkpointer *checkpointer,
                                              bool *is_authentic);

/* Believes all claims: the chunks are held, with the digests recorded. */
void checkpointer_trust(struct checkpointer *checkpointer);

/*
 * Any one thread: chunk was read, its digest is in the digests bound to.  It
 * is held now.  False: the record claimed another digest.
 */
bool checkpointer_found(struct checkpointer *checkpointer, uint64_t chunk);

/* Does the record claim chunk, or anything at all?  While no lane runs. */
bool checkpointer_claims(const struct checkpointer *checkpointer,
                         uint64_t chunk);
bool checkpointer_claims_any(const struct checkpointer *checkpointer);

/* Forgets the claims, not the record. */
void checkpointer_forget_claims(struct checkpointer *checkpointer);

/*
 * Any thread: [first, first+count) are about to be overwritten.  Takes them
 * out of the chunks held and out of the record.  -1: the record cannot be
 * changed, so they must not be.
 */
int checkpointer_strike(struct checkpointer *checkpointer, uint64_t first,
                        uint64_t count, struct error *err);

/* Main thread, often: saves when it is time.  -1: a flush failed. */
int checkpointer_tick(struct checkpointer *checkpointer, struct error *err);

/* Saves now, if there is anything new.  -1: the flush failed. */
int checkpointer_save(struct checkpointer *checkpointer, struct error *err);

/*
 * Saves that the disk is whole, and equal to the source's by its digest root
 * (DIGEST_ROOT_BYTES): a process started again only has to tell the source.
 * -1: the flush failed.
 */
int checkpointer_save_finished(struct checkpointer *checkpointer,
                               const uint8_t *root, struct error *err);

/* Waits for a save that is under way.  -1: its flush failed. */
int checkpointer_wait(struct checkpointer *checkpointer, struct error *err);

/* Removes the record: the disk is complete, or begun anew.  -1: it is still
 * there. */
int checkpointer_remove(struct checkpointer *checkpointer, struct error *err);

/*
 * Removes the record of a finished disk, as the source knows or has had its
 * time.  Killed in the middle, the process finds when it is started again that
 * it has finished; after the last step, that it never ran.
 */
int checkpointer_retire(struct checkpointer *checkpointer, struct error *err);

/* Tolerates a zeroed one. */
void checkpointer_close(struct checkpointer *checkpointer);

#endif
