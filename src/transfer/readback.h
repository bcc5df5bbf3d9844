/* readback.h - verifies that the target's disk holds what was written. */
#ifndef CW_TRANSFER_READBACK_H
#define CW_TRANSFER_READBACK_H

#include <stdint.h>

#include "job/job.h"
#include "sink/sink.h"

/* Options to read sink's content as a raw image; the format is not probed, as
 * the guest's bytes may look like another one. */
struct image_options readback_image(const struct cw_job *job,
                                    const struct sink *sink);

/* A disk to verify. */
struct readback {
    struct sink *sink;
    const char *path; /* for messages */
    enum digest_algorithm algorithm;
    uint64_t virtual_bytes;
    void (*each)(void *opaque, uint64_t chunk); /* one that differs; or NULL */
    void *opaque;
};

/* Turns err, a failure to read that image, into one of the target's disk, and
 * prefixes it with doing.  Returns -1. */
int readback_failed(struct error *err, const char *doing);

/*
 * Reads the flushed disk past the page cache and compares each chunk with
 * job->status.digest.  Logs each chunk that differs and passes it to each().
 * Counts in job->status.progress.verified_bytes.  ERROR_MISMATCH: some differ.
 */
int readback_verify(struct cw_job *job, const struct readback *what,
                    struct error *err);

#endif
