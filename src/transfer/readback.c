#include "transfer/readback.h"

#include <inttypes.h>

#include "base/log.h"
#include "job/public_types.h"
#include "plan/chunk_grid.h"
#include "transfer/disk_scan.h"

struct image_options readback_image(const struct cw_job *job,
                                    const struct sink *sink)
{
    return (struct image_options){
        .path = sink_content_path(sink),
        .mode = public_file_mode(&job->tuning),
        .holes = public_hole_policy(&job->tuning),
        .format = IMAGE_FORMAT_RAW,
        .allow_in_use = true, /* by ourselves */
    };
}

int readback_failed(struct error *err, const char *doing)
{
    if (err->kind == ERROR_SOURCE_IO)
        err->kind = ERROR_TARGET_IO;
    return error_wrap(err, "%s", doing);
}

int readback_read(struct cw_job *job, struct sink *sink,
                  enum digest_algorithm algorithm, uint64_t virtual_bytes,
                  struct digest **back, struct error *err)
{
    struct disk_scan scan = {
        .engine = job->resources.queue_engine,
        .image = readback_image(job, sink),
        .virtual_bytes = virtual_bytes,
        .stop = &job->state.stop,
        .done_bytes = &job->status.progress.verified_bytes,
    };

    *back = NULL;
    if (digest_open(algorithm, virtual_bytes, back, err) < 0)
        return -1;
    atomic_store(&job->status.progress.verified_bytes, 0);
    sink_drop_cache(sink);
    if (virtual_bytes > 0 && disk_scan_run(&scan, *back, err) < 0)
        return readback_failed(err, "read back");
    return 0;
}

uint64_t readback_compare(struct cw_job *job, const struct digest *back,
                          const char *path, uint64_t chunks,
                          void (*each)(void *opaque, uint64_t chunk),
                          void *opaque)
{
    uint64_t differ = 0;

    for (uint64_t i = 0; i < chunks; i++) {
        if (digest_agrees(back, job->status.digest, i))
            continue;
        log_warn("%s: read back at %" PRIu64 ": not what was written", path,
                 i * CHUNK_BYTES);
        differ++;
        if (each)
            each(opaque, i);
    }
    if (differ > 0)
        progress_add(&job->status.progress.verify_failures, 1);
    return differ;
}
