/* jobs.h - the jobs and queries of this layer, for the API. */
#ifndef CW_API_JOBS_H
#define CW_API_JOBS_H

#include "base/error.h"
#include "clonewire/clonewire.h"

/* Opens a local copy, see cw_local_open().  Returns a job owned by the caller
 * (job->free), or NULL with *err filled. */
struct cw_job *local_open(const struct cw_source_options *source,
                          const struct cw_target_options *target,
                          struct error *err);

/* As cw_source_inspect() and cw_target_plan(). */
int source_inspect(const struct cw_source_options *options,
                   uint32_t fs_overhead_ppm, struct cw_inspection *inspection,
                   struct error *err);
int source_map(const struct cw_source_options *options,
               int (*each)(void *opaque, uint64_t offset, uint64_t length,
                           bool is_zero),
               void *opaque, struct error *err);
int target_plan(const struct cw_target_options *options, uint64_t source_bytes,
                struct cw_plan *plan, struct error *err);

#endif
