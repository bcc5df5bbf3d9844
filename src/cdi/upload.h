/*
 * upload.h - receives a disk or a tree as the body of an HTTP request.  It uses
 * the same sink, digest and durability as a clone before it reports success.
 *
 *   body -> (form) -> (snappy) -> (tar) -> (image) -> stream or local lane
 *        -> settle -> flush -> name -> 200
 */
#ifndef CW_CDI_UPLOAD_H
#define CW_CDI_UPLOAD_H

#include <stdatomic.h>

#include "cdi/upload_router.h"
#include "job/job.h"
#include "sink/sink.h"

struct upload {
    struct request *from; /* borrowed */
    struct cw_job *job;
    struct sink *sink;

    const struct cw_target_options *options; /* borrowed */
    bool is_device;

    /* Progress, for the main thread to report. */
    _Atomic unsigned phase;       /* enum cw_phase */
    _Atomic uint64_t total_bytes; /* 0: not known */

    /* The result. */
    bool is_clone;
    bool is_tree;
    bool is_tree_preallocated;
    uint64_t disk_bytes;
    char format[MESSAGE_NAME_BYTES]; /* "raw", "snappy", "qcow2 in xz" */
};

/*
 * Receives the upload on a thread that may block; does not send the response.
 * -1: *err is filled; the caller drops the written data (sink_discard()).
 */
int upload_receive(struct upload *upload, struct error *err);

/* Sends the response to a client whose upload has failed. */
void upload_refuse(struct upload *upload, const struct error *err);

#endif
