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
        .tree = sink_tree(sink),
        .mode = job->tuning.io_mode,
        .holes = job->tuning.holes,
        .format = CW_FORMAT_RAW,
        .allow_in_use = true, /* by ourselves */
    };
}

int readback_failed(struct error *err, const char *doing)
{
    if (err->kind == ERROR_SOURCE_IO)
        err->kind = ERROR_TARGET_IO;
    return error_wrap(err, "%s", doing);
}

static int read_disk(struct cw_job *job, const struct readback *what,
                     struct digest *back, struct error *err)
{
    struct disk_scan scan = {
        .engine = job->resources.queue_engine,
        .image = readback_image(job, what->sink),
        .virtual_bytes = what->virtual_bytes,
        .stop = &job->state.stop,
        .done_bytes = &job->status.progress.verified_bytes,
    };

    atomic_store(&job->status.progress.verified_bytes, 0);
    sink_drop_cache(what->sink);
    if (what->virtual_bytes > 0 && disk_scan_run(&scan, back, err) < 0)
        return readback_failed(err, "read back");
    return 0;
}

static int compare(struct cw_job *job, const struct readback *what,
                   const struct digest *back, struct error *err)
{
    uint64_t chunks = chunk_grid_count(what->virtual_bytes), differ = 0;

    for (uint64_t i = 0; i < chunks; i++) {
        if (digest_agrees(back, job->status.digest, i))
            continue;
        log_warn("%s: read back at %" PRIu64 ": not what was written",
                 what->path, i * CHUNK_BYTES);
        differ++;
        if (what->each)
            what->each(what->opaque, i);
    }
    if (differ == 0)
        return 0;
    progress_add(&job->status.progress.verify_failures, 1);
    return error_set(err, ERROR_MISMATCH, 0,
                     "%" PRIu64 " chunks of %s read back as something else",
                     differ, what->path);
}

int readback_verify(struct cw_job *job, const struct readback *what,
                    struct error *err)
{
    struct digest *back = NULL;
    int r = digest_open(what->algorithm, what->virtual_bytes, &back, err);

    if (r == 0)
        r = read_disk(job, what, back, err);
    if (r == 0)
        r = compare(job, what, back, err);
    digest_close(back);
    return r;
}
