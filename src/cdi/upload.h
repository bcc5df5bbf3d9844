/*
 * upload.h - a disk or a tree that comes as the body of an HTTP request, and
 * what is made of it: the same sink, the same digest, the same durability as
 * of a clone, before anybody is told that it is there.
 *
 *   body -> (form) -> (snappy) -> (tar) -> (image) -> fill or local lane
 *        -> settle -> flush -> name -> 200
 */
#ifndef CW_CDI_UPLOAD_H
#define CW_CDI_UPLOAD_H

#include <stdatomic.h>

#include "cdi/upload_router.h"
#include "job/job.h"
#include "sink/sink.h"

struct upload {
    struct request_upload from;
    struct cw_job *job;
    struct sink *sink;

    const struct cw_target_options *options; /* borrowed */
    bool is_device;

    /* How far it is, for the main thread to tell. */
    _Atomic unsigned phase;       /* enum cw_phase */
    _Atomic uint64_t total_bytes; /* 0: not known */

    /* What came of it. */
    bool is_clone;
    bool is_tree;
    bool is_tree_preallocated;
    uint64_t disk_bytes;
    char format[MESSAGE_NAME_BYTES]; /* "raw", "snappy", "qcow2 in xz" */
};

/*
 * On a thread that may block: all of it but the answer.  -1: *err says why
 * not; what was written is to be dropped (sink_discard()).
 */
int upload_receive(struct upload *upload, struct error *err);

/* The answer to a client whose upload has failed. */
void upload_refuse(struct upload *upload, const struct error *err);

#endif
