/*
 * metrics.h - a moment of a job as Prometheus text.  Pure.
 *
 * Names, types and units are a promise to dashboards: docs/operations.md.
 */
#ifndef CW_MONITOR_METRICS_H
#define CW_MONITOR_METRICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "clonewire/clonewire.h"

#define METRICS_TEXT_BYTES 128U
#define METRICS_UNKNOWN    UINT64_MAX
#define METRICS_PPM        1000000U

struct metrics {
    bool is_source;
    bool is_ready;
    enum cw_phase phase;
    unsigned lanes;
    char job_id[METRICS_TEXT_BYTES]; /* "" until known, as all texts */
    char tls[METRICS_TEXT_BYTES];
    char image_format[METRICS_TEXT_BYTES];
    const char *io_engine; /* static */

    uint64_t disk_bytes; /* METRICS_UNKNOWN until known, where marked so */
    uint64_t mapped_bytes;
    uint64_t progress_ppm;
    uint64_t eta_ns;           /* or METRICS_UNKNOWN */
    uint64_t last_progress_ns; /* Unix time, or METRICS_UNKNOWN */
    uint64_t read_bytes;       /* source */
    uint64_t sent_bytes;       /* source */
    uint64_t written_bytes;    /* target */
    uint64_t zeroed_bytes;     /* target */
    uint64_t skipped_bytes;    /* zeros neither sent nor written */
    uint64_t resumed_bytes;    /* held from before: not sent again */
    uint64_t unverified_bytes; /* of it, on the target: not read again */
    uint64_t wire_bytes;
    uint64_t compressed_bytes;    /* of the data, what went compressed, */
    uint64_t compressed_to_bytes; /* and what that became */
    uint64_t wait_disk_ns, wait_net_ns;
    uint64_t retries;         /* source: calls that nobody answered */
    uint64_t reconnects;      /* connections made anew after a loss */
    uint64_t sessions;        /* target: sources that were served */
    uint64_t failed_sessions; /* target: of them, that ended early */
    uint64_t verify_failures;
};

/* How far, in ppm: all of them only when the clone is durable and equal. */
uint64_t metrics_progress_ppm(enum cw_phase phase, uint64_t handled_bytes,
                              uint64_t mapped_bytes);

/* Time left at the speed so far, or METRICS_UNKNOWN. */
uint64_t metrics_eta_ns(enum cw_phase phase, uint64_t handled_bytes,
                        uint64_t mapped_bytes, uint64_t elapsed_ns);

/*
 * The one line that KubeVirt CDI's controller looks for, as its cloner tells
 * it: owner_uid and the progress in per cent.  Returns its length.
 */
size_t metrics_format_cdi(const char *owner_uid, uint64_t progress_ppm,
                          char *buf, size_t len);

/* Writes all of it and returns its length; what does not fit is left out in
 * whole lines. */
size_t metrics_format(const struct metrics *metrics, char *buf, size_t len);

#endif
