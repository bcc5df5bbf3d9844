/*
 * http_source.h - what the parts of a source by HTTP share: http_source.c is the
 * process, which calls and judges; http_source_worker.c reads and sends.
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
    struct image_options image_options; /* of a disk, without a ring */
    struct image *image; /* map only; NULL: a tree, or not one raw disk */
    struct retry retry;
    char peer[256];
    unsigned segment_bytes; /* to send with; 0: as the path says */
    bool was_sent;          /* all of it, to its end, in an earlier attempt */

    /* Of one attempt: made by the main thread before the lane begins. */
    struct conn *conn;
    struct tcp_path path;
    uint64_t heard_all_ns; /* when the target had it all; 0: it has not */
    struct upload_client client;
    struct snappy_encoder encoder;

    /* The lane and the main thread. */
    struct worker lane;
    _Atomic unsigned running;
    atomic_bool is_sent;  /* the body of this attempt, with its end */
    _Atomic uint64_t max; /* plain bytes of the attempt that came furthest */
};

/* As cw_volume_open(): NULL with *err filled; else owned by the caller
 * (job->free). */
struct cw_job *http_source_open(const struct cw_volume_options *options,
                                const struct job_observer *observer,
                                struct error *err);

/* Sends all of it over v->conn and hears the answer: of a lane, its work. */
int http_source_send(struct worker *lane, struct error *err);

#endif
