/*
 * job.h - what the main thread and the lanes of one clone share.
 *
 * Four things and no more: the first error, the stop flag, the progress
 * counters, and the cursor (source) or the sets of chunks (target).  The main thread
 * owns the job and serves the control connection; lanes only call what is
 * marked "any thread".
 */
#ifndef CW_JOB_JOB_H
#define CW_JOB_JOB_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "clonewire/clonewire.h"
#include "io/io_queue.h"
#include "record/digest.h"
#include "record/progress.h"
#include "tls/tls.h"
#include "wire/message.h"

#define JOB_BLOCKS_PER_LANE 8U /* buffers of a chunk: queue depth at the disk */
#define JOB_BLOCKS_LEAST    2U /* one at the disk, one at the network */
#define JOB_LANES_MOST      4U /* by default: more never paid */
#define JOB_DEAD_PEER_NS    (UINT64_C(30) * 1000000000)  /* by default */
#define JOB_RETRY_NS        (UINT64_C(300) * 1000000000) /* by default */
#define JOB_STALL_NS        (UINT64_C(300) * 1000000000) /* by default */
#define JOB_TICK_MS         250
#define JOB_THREAD_STACK    (256U << 10)

/* Who publishes a job that runs; all of the main thread. */
struct job_observer {
    /* The job's TLS is set up.  -1: the job cannot start. */
    int (*open)(struct cw_job *job, struct error *err);
    void (*update)(struct cw_job *job); /* it has changed */
    void (*close)(struct cw_job *job);  /* tolerates half-opened */
};

struct cw_job {
    bool is_source;
    int (*run)(struct cw_job *job, struct cw_summary *summary,
               struct error *err);
    void (*free)(struct cw_job *job); /* tolerates half-built */
    /* NULL, or: what else to read again with keys.  Main thread. */
    void (*reload)(struct cw_job *job);
    struct cw_events events;
    struct cw_tuning tuning;

    struct cw_security security; /* as given: files are read again */
    struct tls *tls;             /* owned; by job_share_tls() */
    enum io_engine engine;       /* chosen */
    enum io_engine ring_wish;    /* for io_queue_open(): may still fall back */
    struct digest *digest;       /* owned; every lane sets its own chunks */
    struct progress progress;
    uint64_t moved;       /* sum of what moves, as watchdog_check() saw it */
    uint64_t moved_ns;    /* when it last changed */
    uint64_t disk_bytes;  /* 0 until known */
    uint64_t total_bytes; /* mapped as data */
    uint64_t begun_ns;    /* HELLO sent or heard */
    uint64_t copying_ns;  /* when the lanes were let loose */
    uint64_t copied_ns;   /* how long they ran */
    struct message_waits peer_waits; /* of the other end's lanes */
    enum cw_phase phase;
    unsigned lanes;
    char id[MESSAGE_JOB_BYTES]; /* "" until known, as what follows */
    char format[MESSAGE_NAME_BYTES];
    char peer_software[MESSAGE_NAME_BYTES];
    char cipher[64];                     /* "TLSv1.3 TLS_AES_128_GCM_SHA256" */
    bool is_ready;                       /* what /readyz says */
    const struct job_observer *observer; /* borrowed; NULL: none */
    struct health *health;               /* the observer's own */
    uint64_t pool_bytes; /* for the buffers of all lanes, by memory limit */

    /* Any thread. */
    int wake_fd; /* eventfd: something for the main thread to look at */
    int stop_fd; /* eventfd: readable for ever once the job must end */
    atomic_bool stop;
    atomic_bool cancelled;    /* by cw_stop() */
    atomic_bool is_stalled;   /* by watchdog_check() */
    _Atomic unsigned at_disk; /* lanes that wait for their disk */
    atomic_bool peer_at_disk; /* source: the target's lanes mostly do */
    atomic_bool wants_reload; /* by cw_reload() */
    atomic_bool wants_report; /* by cw_report() */
    pthread_mutex_t lock;     /* of first and tls */
    struct error first;
};

/* Fills what both ends share; job is zeroed memory, with its observer.
 * security: NULL without a network, and then it is not observed. */
int job_init(struct cw_job *job, bool is_source,
             const struct cw_security *security, const struct cw_tuning *tuning,
             const struct cw_events *events, struct error *err);

/*
 * Reads certificates and keys again, for the connections made from now on;
 * when that fails, says so and keeps what was read before.
 */
void job_read_security(struct cw_job *job);

/* Does what cw_reload() and cw_report() asked for.  Main thread, often. */
void job_attend(struct cw_job *job);

/* Any thread: what a connection is to be made with; end with tls_close(). */
struct tls *job_share_tls(struct cw_job *job);

/* Tolerates a half-built job; lanes have ended. */
void job_fini(struct cw_job *job);

/*
 * Any thread: records err unless one is there, stops the job, wakes main.  A
 * failed disk takes the place of a lost connection: what it says, and it
 * says it once, must not be forgotten when the job goes on.
 */
void job_fail(struct cw_job *job, const struct error *err);

/* Any thread: must this lane end? */
bool job_stopping(const struct cw_job *job);

/* Any thread: makes the main thread look. */
void job_wake(struct cw_job *job);

/* Copies the first error; false when there is none. */
bool job_first_error(struct cw_job *job, struct error *err);

/*
 * A lost connection is a symptom: when the peer's own words arrive after it,
 * they take the place of ours.
 */
void job_replace_error(struct cw_job *job, const struct error *err);

/*
 * After a session has failed and all of its lanes have ended: forgets the
 * error and the stop, so that another can begin.  What cw_stop() asked for
 * is not forgotten.
 */
void job_go_on(struct cw_job *job);

/* A clone begins: its time and its counters. */
void job_begin(struct cw_job *job);

/* Logs how far it is: "copying, 1.2 GiB of 10 GiB done, ...". */
void job_log_status(const struct cw_job *job);

/* Moves to phase and tells the progress callback; phases only go forward. */
void job_enter(struct cw_job *job, enum cw_phase phase);

/* Tells the progress callback how far we are. */
void job_report(struct cw_job *job);

/* From now on /readyz says so. */
void job_set_ready(struct cw_job *job);

/*
 * Lanes a source asks for: as told, or half the CPUs, and all of them where
 * reading the image costs CPU; 1 to 4 and what the memory limit leaves.
 */
unsigned job_lanes_wanted(const struct cw_job *job, bool is_decoded);

/* Lanes a target lets come at most: as told, or its CPUs, 1 to 4, and what the memory
 * limit leaves. */
unsigned job_lanes_accepted(const struct cw_job *job);

/* Buffers that each of the agreed lanes may have: JOB_BLOCKS_LEAST to
 * JOB_BLOCKS_PER_LANE. */
unsigned job_blocks_per_lane(const struct cw_job *job);

/* What our lanes have waited so far, for the other end. */
struct message_waits job_waits(const struct cw_job *job);

/* The parts of the summary that both ends fill alike. */
void job_summarize(const struct cw_job *job, struct cw_summary *summary);

/*
 * Starts a thread with a small stack (it keeps the memory of a pod small)
 * and no signals.  0, or -1 with ERROR_SYSTEM.
 */
int job_start_thread(pthread_t *thread, void *(*main)(void *), void *arg,
                     struct error *err);

/* Any thread: adds the time since begun_ns to a waiting counter. */
void job_waited(_Atomic uint64_t *counter, uint64_t begun_ns);

#endif
