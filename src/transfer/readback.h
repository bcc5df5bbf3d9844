/* readback.h - is on the target's disk what was written there? */
#ifndef CW_TRANSFER_READBACK_H
#define CW_TRANSFER_READBACK_H

#include <stdint.h>

#include "job/job.h"
#include "sink/sink.h"

/* What sink holds, as an image to read; a device is not asked what format
 * its guest's bytes may look like. */
struct image_options readback_image(const struct cw_job *job,
                                    const struct sink *sink);

/* err is of reading that image: it is the target's disk that failed.  Returns
 * -1, with doing in front. */
int readback_failed(struct error *err, const char *doing);

/*
 * Reads virtual_bytes of the flushed disk, past the page cache, into a new
 * digest table (owned by the caller, also on -1 when it is not NULL).
 * job->status.progress tells how far it is.
 */
int readback_read(struct cw_job *job, struct sink *sink,
                  enum digest_algorithm algorithm, uint64_t virtual_bytes,
                  struct digest **back, struct error *err);

/*
 * How many chunks of back differ from job->status.digest; each is told in the log
 * as one of path, and to each (with opaque) when that is not NULL.
 */
uint64_t readback_compare(struct cw_job *job, const struct digest *back,
                          const char *path, uint64_t chunks,
                          void (*each)(void *opaque, uint64_t chunk),
                          void *opaque);

#endif
