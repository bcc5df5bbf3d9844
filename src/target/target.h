/*
 * target.h - what the parts of the target share: target.c is the process,
 * which waits for sources; target_session.c serves one of them;
 * target_prepare.c begins the disk, target_disk.c finishes it; target_scan.c
 * looks at what was there before.
 */
#ifndef CW_TARGET_TARGET_H
#define CW_TARGET_TARGET_H

#include "cdi/upload_router.h"
#include "control/listener.h"
#include "control/session.h"
#include "job/job.h"
#include "job/retry.h"
#include "job/task.h"
#include "resume/checkpointer.h"
#include "sink/sink.h"
#include "target/receive_worker.h"

struct target_recognition;

/* What lives as long as one control connection. */
struct target_session {
    struct session control;
    struct message_hello hello;
    uint8_t secret[MESSAGE_SECRET_BYTES];
    bool accepting;  /* lanes may join */
    bool is_over;    /* lanes come too late */
    unsigned joined; /* lanes that came */
    bool finish_heard;
    uint64_t finish_ns;
    uint8_t source_root[MESSAGE_ROOT_BYTES];
    bool has_record_key;
    uint8_t record_key[DIGEST_MAC_BYTES]; /* as of target_trust_key() */
    uint8_t *tree;       /* owned: the index of a directory, or NULL, */
    uint64_t tree_bytes; /* of it as came */
    char peer[128];
    char name[256]; /* as in struct visitor */
};

struct target {
    struct cw_job job; /* first: the API's handle is this */
    struct cw_target_options options;
    struct addr listen;
    bool is_paired;              /* by a code, */
    uint64_t code_ends_ns;       /* which is good until then */
    struct upload_router router; /* for who comes by HTTP */
    struct http_service http;    /* of router */
    bool has_router;             /* claimed for a source of our own */
    struct listener *listener;

    /* The process: what outlives a session. */
    struct sink *sink;
    struct checkpointer checkpointer; /* the checkpoint of it */
    struct target_plan
        plan;      /* what is held, and its digests: job.status.digest */
    bool has_disk; /* the sink is prepared, for the job disk_of */
    struct message_hello disk_of;
    char disk_of_name[256];             /* of its source, as session.name */
    enum checkpoint_file_result record; /* of an earlier process, */
    bool is_record_authentic;
    char stamp[FILE_STAMP_BYTES];           /* of the disk as it was found */
    struct target_recognition *recognition; /* owned; NULL: not a device */
    bool is_committed; /* the disk is whole and has its name */
    bool is_left;      /* so it was before this process: target_finished.h */
    bool is_confirmed; /* then: all of it was read, and is as it was */
    struct task confirm;
    atomic_bool confirm_stop;
    unsigned readbacks;     /* that found something else */
    bool is_told;           /* and the source knows: it said BYE */
    unsigned passes;        /* of a source that follows its image, complete */
    bool awaits_pass;       /* disk_of's source will call for its next pass */
    uint64_t max_on_disk;   /* leaves that were ever held at once; */
    uint64_t parts_on_disk; /* of chunks in part, as the session began */
    /* Identity of the image that all that is held was read from; 0: none. */
    uint8_t on_disk_of[MESSAGE_IDENTITY_BYTES];
    uint8_t root[DIGEST_ROOT_BYTES];
    struct retry retry;
    const char *arrival; /* "clonewire", "clone", "upload" */
    bool is_tree;        /* it was no disk */
    bool is_tree_preallocated;
    bool is_late;             /* the deadline passed before a source came */
    uint64_t reserved_ns;     /* until then only the source of disk_of */
    struct visitor *comeback; /* owned: our source, calling again */

    struct target_session session;
    struct receive_worker lanes[MESSAGE_MAX_LANES];
    struct task task;
    struct task scan;           /* of what the disk holds, beside the copying */
    uint64_t announced_to;      /* chunks below it are announced */
    _Atomic uint64_t differing; /* found, and not what the record claims */
};

/* As cw_target_open(): NULL with *err filled; else owned by the caller
 * (job->free). */
struct cw_job *target_open(const struct cw_target_options *options,
                           const struct job_observer *observer,
                           struct error *err);

/*
 * Would hello go on with the disk that is being made?  name: of the peer, as in
 * struct visitor.  Another client of the CA that learned the job's ID, which is
 * no secret, is another source.
 */
bool target_is_same_job(const struct target *t,
                        const struct message_hello *hello, const char *name);

/* Is hello the next pass of the source whose pass is complete?  name: as for
 * target_is_same_job(). */
bool target_is_next_pass(const struct target *t,
                         const struct message_hello *hello, const char *name);

/* Takes a finished disk as the older copy for the next clone of it: from now on
 * it is what lies at the destination, as any other.  ERROR_REFUSED,
 * ERROR_TARGET_IO. */
int target_reopen_disk(struct target *t, struct error *err);

/* Tells a visitor why it cannot stay. */
void target_turn_away(const struct visitor *visitor, const struct error *err);

/* ERROR_PROTOCOL, or ERROR_TEMPORARY for a lane of a session that is over. */
int target_check_join(const struct target *t, const struct message_join *join,
                      struct error *err);

/* Tasks: what is there is known; the disk is ready for the session's source; it is flushed; it is
 * equal and has its name.  arg: the target. */
int target_examine(void *arg, struct error *err);
int target_prepare(void *arg, struct error *err);
int target_flush(void *arg, struct error *err);
int target_verify(void *arg, struct error *err);

/* Nothing was found to go on from: may what is there be changed?
 * ERROR_REFUSED. */
int target_check_fresh(const struct target *t, struct error *err);

/*
 * Serves the source whose HELLO visitor brings (its connection is moved), to
 * the end of the session.  0: the disk is there.  -1: the job's first error
 * says why not; both ends know.
 */
int target_serve(struct target *t, struct visitor *visitor);

/*
 * The index of a directory: from HELLO, in TREE messages, to the sink.
 * _expect: after HELLO; ERROR_SYSTEM.  _waits: more is to come.  _hear: takes a
 * part; -1: the job failed.  _set: tells the sink what comes, a directory or a
 * disk; a task; errors as of tree_index_read() and sink_set_tree().
 */
int target_tree_expect(struct target *t, struct error *err);
bool target_tree_waits(const struct target *t);
int target_tree_hear(struct target *t, const struct message_tree *part);
int target_tree_set(struct target *t, struct error *err);

/* Drops what is known of an earlier disk. */
void target_forget_disk(struct target *t);

/* The same, with empty sets and tables for the disk of hello. */
int target_open_tables(struct target *t, const struct message_hello *hello,
                       struct error *err);

/*
 * Takes what visitor's upload brings, and answers it.  0: it is there; -1: the
 * job's first error says why not, and the client knows.
 */
int target_take_upload(struct target *t, struct visitor *visitor);

#endif
