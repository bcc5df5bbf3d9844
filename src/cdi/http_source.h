/*
 * http_source.h - shared by the parts of an HTTP source: http_source.c is the
 * process, which dials and evaluates; http_source_worker.c reads and sends.
 */
#ifndef CW_CDI_HTTP_SOURCE_H
#define CW_CDI_HTTP_SOURCE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "cdi/snappy_encoder.h"
#include "clonewire/clonewire.h"
#include "http/upload_client.h"
#include "image/image.h"
#include "job/job.h"
#include "job/retry.h"
#include "job/worker.h"

struct http_source {
    struct cw_job job; /* first: the API's handle is this */
    struct cw_volume_options options;
    struct upload_client_url url;
    struct image_options image_options; /* of a disk, without an I/O queue */
    struct image *image; /* map only; NULL: a tree, or not a single raw disk */
    struct retry retry;
    char peer[256];
    unsigned segment_bytes; /* to send with; 0: as the path gives */
    bool was_sent;          /* an earlier attempt sent everything */

    /* Of one attempt: set up by the main thread before the lane starts. */
    struct conn *conn;
    struct tcp_path path;
    uint64_t sent_all_ns; /* when the target had everything; 0: not yet */
    struct upload_client client;
    struct snappy_encoder encoder;

    /* The lane and the main thread. */
    struct worker lane;
    _Atomic unsigned running;
    atomic_bool is_sent;  /* the whole body of this attempt was sent */
    _Atomic uint64_t max; /* maximum of plain bytes over all attempts */
};

/* As cw_volume_open(): NULL with *err filled; else owned by the caller
 * (job->free). */
struct cw_job *http_source_open(const struct cw_volume_options *options,
                                const struct job_observer *observer,
                                struct error *err);

/* The lane's work: sends everything over v->conn and reads the response. */
int http_source_send(struct worker *lane, struct error *err);

#endif
