/* jobs.h - the two ends of a clone, as jobs that the API runs. */
#ifndef CW_API_JOBS_H
#define CW_API_JOBS_H

#include "base/error.h"
#include "clonewire/clonewire.h"
#include "image/image.h"
#include "sink/sink.h"

/* NULL with *err filled; else owned by the caller (job->free). */
struct cw_job *source_open(const struct cw_source_options *options,
                           struct error *err);
struct cw_job *target_open(const struct cw_target_options *options,
                           struct error *err);

/* A source by HTTP, see cw_volume_open(). */
struct cw_job *http_source_open(const struct cw_volume_options *options,
                                struct error *err);

/* Both ends in one, see cw_local_open(). */
struct cw_job *local_open(const struct cw_source_options *source,
                          const struct cw_target_options *target,
                          struct error *err);

/* What the API's caller is told of err. */
void api_tell(struct cw_error *out, const struct error *err);

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

/* The options of the room behind the API's, borrowing its strings. */
void source_image_options(const struct cw_source_options *options,
                          struct image_options *image);
void target_sink_options(const struct cw_target_options *options,
                         struct sink_options *sink);

/* Sums the data of a whole image, step by step in bounded memory. */
int source_measure(struct image *image, uint64_t *data_bytes,
                   struct error *err);

#endif
