/*
 * job.h - shared by the main thread and the lanes of one clone.
 *
 * They share four things only: the first error, the stop flag, the progress
 * counters, and the cursor (source) or the sets of chunks (target).  The main
 * thread owns the job and serves the control connection; lanes call only
 * functions marked "any thread".
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
#include "job/job_state.h"
#include "record/digest.h"
#include "record/progress.h"
#include "tls/tls.h"
#include "wire/message.h"

#define JOB_BUFFERS_PER_LANE \
    8U                      /* buffers of a chunk: queue depth at the disk */
#define JOB_BUFFERS_MIN  2U /* one at the disk, one at the network */
#define JOB_LANES_MAX    4U /* default: more lanes never paid */
#define JOB_DEAD_PEER_NS (UINT64_C(30) * 1000000000)  /* by default */
#define JOB_RETRY_NS     (UINT64_C(300) * 1000000000) /* by default */
#define JOB_STALL_NS     (UINT64_C(300) * 1000000000) /* by default */
#define JOB_TICK_MS      250
#define JOB_THREAD_STACK (256U << 10)

/* Publishes the state of a running job; called on the main thread. */
struct job_observer {
    /* After the job's TLS is set up.  -1: the job cannot start. */
    int (*open)(struct cw_job *job, struct error *err);
    void (*update)(struct cw_job *job); /* the job has changed */
    void (*close)(struct cw_job *job);  /* tolerates a half-open one */
};

/* The progress of a job.  Main thread, except for atomic fields. */
struct job_status {
    struct progress progress;
    struct digest *digest; /* owned; every worker sets its own chunks */
    uint64_t moved; /* sum of progress counters, as watchdog_check() saw it */
    uint64_t moved_ns; /* when it last changed */
    bool is_warned; /* has warned of a disk that has not answered since then */
    const char *disk_path; /* the local disk, for messages; borrowed */
    uint64_t wire_bytes;   /* sent and acknowledged, or received, by the running
                            * workers: grows even on a slow network */
    uint64_t unacked_bytes; /* source: handled, but not acknowledged */
    uint64_t shown_bytes;   /* job_handled_bytes(), which never goes back */
    uint64_t disk_bytes;    /* 0 until known */
    uint64_t total_bytes;   /* mapped as data */
    uint64_t padding_bytes; /* of disk_bytes, zeros after the image */
    uint64_t start_ns;      /* HELLO sent or received */
    uint64_t copying_ns;    /* when the workers started */
    uint64_t copied_ns;     /* how long they ran */
    uint64_t lost_ns;       /* when the connection was lost; 0: it is there */
    uint64_t give_up_ns;    /* lost: until when another is waited for */
    struct message_waits peer_waits; /* of the peer's workers */
    enum cw_phase phase;
    char id[MESSAGE_JOB_BYTES]; /* "" until known, like the fields below */
    char format[MESSAGE_NAME_BYTES];
    char peer_software[MESSAGE_NAME_BYTES];
    char cipher[64];                 /* "TLSv1.3 TLS_AES_128_GCM_SHA256" */
    bool is_ready;                   /* the answer of /readyz */
    _Atomic unsigned at_disk;        /* workers that wait for their disk */
    _Atomic(const char *) wait_path; /* path of the last such wait */
    _Atomic uint64_t wait_offset;    /* offset of it */
    atomic_bool peer_at_disk; /* source: the target mostly waits for disk */
};

/* The identity that the job presents to the peer. */
struct job_credentials {
    struct cw_security security; /* as given: files are read again on reload */
    pthread_mutex_t lock;        /* of tls */
    struct tls *tls;             /* owned; by job_share_tls() */
};

/* The resources of the machine that a job may use. */
struct job_resources {
    enum cw_io_engine engine; /* chosen */
    enum cw_io_engine
        queue_engine;    /* for io_queue_open(): may still fall back */
    uint64_t pool_bytes; /* for the buffers of all lanes, by memory limit */
    unsigned lanes;      /* 0 until agreed */
};

struct cw_job {
    bool is_source;
    int (*run)(struct cw_job *job, struct cw_summary *summary,
               struct error *err);
    void (*free)(struct cw_job *job); /* tolerates half-built */
    /* NULL, or: reads other files again when keys are reloaded.  Main thread. */
    void (*reload)(struct cw_job *job);
    /* NULL, or: acts on cw_report(), beside the log.  Main thread. */
    void (*report)(struct cw_job *job);
    struct cw_events events;
    struct cw_tuning tuning;
    const struct job_observer *observer; /* borrowed; NULL: none */
    struct health *health;               /* the observer's own */

    struct job_state state;
    struct job_status status;
    struct job_credentials credentials;
    struct job_resources resources;
};

/* Fills the fields that both ends share; job is zeroed memory, with its
 * observer.  security: NULL without a network; then the observer is unused. */
int job_init(struct cw_job *job, bool is_source,
             const struct cw_security *security, const struct cw_tuning *tuning,
             const struct cw_events *events, struct error *err);

/*
 * Reads certificates and keys again, for new connections; on failure, logs it
 * and keeps the previous ones.
 */
void job_read_security(struct cw_job *job);

/* Handles pending cw_reload() and cw_report() requests.  Main thread, often. */
void job_attend(struct cw_job *job);

/* Any thread: the TLS context for a new connection; end with tls_close(). */
struct tls *job_share_tls(struct cw_job *job);

/* Tolerates a half-built job; all lanes must have ended. */
void job_fini(struct cw_job *job);

/* Starts a clone: sets its start time and resets its counters. */
void job_begin(struct cw_job *job);

/* Logs the progress: "copying, 1.2 GiB of 10 GiB done, ...". */
void job_log_status(const struct cw_job *job);

/* Moves to phase and calls the progress callback; phases only go forward. */
void job_enter(struct cw_job *job, enum cw_phase phase);

/*
 * Bytes of the mapped data that are done.  On a source these are the bytes that
 * TCP has seen acknowledged, without those in socket buffers.  Main thread.
 */
uint64_t job_handled_bytes(struct cw_job *job);

/* Calls the progress callback with the current progress. */
void job_report(struct cw_job *job);

/* Makes /readyz answer that the job is ready. */
void job_set_ready(struct cw_job *job);

/*
 * Lanes that a source requests: the configured number; else half the CPUs, or
 * all of them if reading the image costs CPU, 1 to 4 and within the memory
 * limit.
 */
unsigned job_lanes_wanted(const struct cw_job *job, bool is_decoded);

/* Maximum of lanes that a target accepts: the configured number, or its CPUs, 1
 * to 4, within the memory limit. */
unsigned job_lanes_accepted(const struct cw_job *job);

/* Buffers for each of the agreed lanes: JOB_BUFFERS_MIN to
 * JOB_BUFFERS_PER_LANE. */
unsigned job_buffers_per_lane(const struct cw_job *job);

/* How long the local lanes have waited so far, to send to the peer. */
struct message_waits job_waits(const struct cw_job *job);

/* The session is over and the job continues with another, which it waits for
 * until give_up_ns (clock_now_ns); 0: for any peer, without a limit. */
void job_lost_peer(struct cw_job *job, uint64_t give_up_ns);

/* The peer is back. */
void job_found_peer(struct cw_job *job);

/* Fills the parts of the summary that both ends share. */
void job_summarize(const struct cw_job *job, struct cw_summary *summary);

/* Any thread: adds the time since start_ns to a wait counter. */
void job_waited(_Atomic uint64_t *counter, uint64_t start_ns);

#endif
