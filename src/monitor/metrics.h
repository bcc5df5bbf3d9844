/*
 * metrics.h - formats the state of a job as Prometheus text.  No I/O.
 *
 * Names, types and units are stable for dashboards: docs/operations.md.
 */
#ifndef CW_MONITOR_METRICS_H
#define CW_MONITOR_METRICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "clonewire/clonewire.h"
#include "record/progress.h"

#define METRICS_TEXT_BYTES 128U
#define METRICS_UNKNOWN    UINT64_MAX
#define METRICS_PPM        1000000U

struct metrics {
    bool is_source;
    bool is_ready;
    enum cw_phase phase;
    unsigned lanes;
    char job_id[METRICS_TEXT_BYTES]; /* all texts: "" until known */
    char tls[METRICS_TEXT_BYTES];
    char image_format[METRICS_TEXT_BYTES];
    const char *io_engine; /* static */

    uint64_t disk_bytes; /* fields marked so: METRICS_UNKNOWN until known */
    uint64_t mapped_bytes;
    uint64_t progress_ppm;
    uint64_t eta_ns;           /* or METRICS_UNKNOWN */
    uint64_t last_progress_ns; /* Unix time, or METRICS_UNKNOWN */
    uint64_t read_bytes;       /* source */
    uint64_t verify_failures;
    const struct progress *progress; /* counters of the job; borrowed */
};

/* Returns the progress in ppm; 1000000 only if durable and equal. */
uint64_t metrics_progress_ppm(enum cw_phase phase, uint64_t handled_bytes,
                              uint64_t mapped_bytes);

/* Returns the time left at the speed so far, or METRICS_UNKNOWN. */
uint64_t metrics_eta_ns(enum cw_phase phase, uint64_t handled_bytes,
                        uint64_t mapped_bytes, uint64_t elapsed_ns);

/*
 * Writes the metric that KubeVirt CDI's controller reads from its cloner:
 * owner_uid and the progress in percent.  Returns its length.
 */
size_t metrics_format_cdi(const char *owner_uid, uint64_t progress_ppm,
                          char *buf, size_t len);

/* Writes all metrics and returns their length.  Lines that do not fit are left
 * out as a whole. */
size_t metrics_format(const struct metrics *metrics, char *buf, size_t len);

#endif
