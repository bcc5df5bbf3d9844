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

/* Turns err, a failure to read that image, into one of the target's disk, and
 * prefixes it with doing.  Returns -1. */
int readback_failed(struct error *err, const char *doing);

/*
 * Reads virtual_bytes of the flushed disk, past the page cache, into a new
 * digest table (owned by the caller, also on -1 when it is not NULL).
 * Counts in job->status.progress.verified_bytes.
 */
int readback_read(struct cw_job *job, struct sink *sink,
                  enum digest_algorithm algorithm, uint64_t virtual_bytes,
                  struct digest **back, struct error *err);

/*
 * Returns how many chunks of back differ from job->status.digest.  Logs each of
 * them as one of path, and passes it to each() (with opaque) if not NULL.
 */
uint64_t readback_compare(struct cw_job *job, const struct digest *back,
                          const char *path, uint64_t chunks,
                          void (*each)(void *opaque, uint64_t chunk),
                          void *opaque);

#endif
