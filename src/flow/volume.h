/*
 * volume.h - what the parts of a source by HTTP share: volume.c is the
 * process, which calls and judges; volume_lane.c reads and sends.
 */
#ifndef CW_FLOW_VOLUME_H
#define CW_FLOW_VOLUME_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "clonewire/clonewire.h"
#include "flow/framed.h"
#include "flow/job.h"
#include "flow/lane.h"
#include "flow/post.h"
#include "flow/retry.h"
#include "image/guard.h"
#include "image/image.h"

struct volume {
    struct cw_job job; /* first: the API's handle is this */
    struct cw_volume_options options;
    struct post_url url;
    struct guard guard;
    struct image_options image_options; /* of a disk, without a ring */
    struct image *image; /* map only; NULL: a tree, or not one raw disk */
    struct retry retry;
    char peer[256];
    bool was_sent; /* all of it, to its end, in an earlier attempt */

    /* Of one attempt: made by the main thread before the lane begins. */
    struct conn *conn;
    struct post post;
    struct framed framed;

    /* The lane and the main thread. */
    struct lane lane;
    _Atomic unsigned running;
    atomic_bool is_sent;   /* the body of this attempt, with its end */
    _Atomic uint64_t most; /* plain bytes of the attempt that came furthest */
};

/* Sends all of it over v->conn and hears the answer: of a lane, its work. */
int volume_send(struct lane *lane, struct error *err);

#endif
