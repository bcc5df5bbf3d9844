/* api.c - include/clonewire/clonewire.h over the jobs of the layers below. */
#include <string.h>

#include "api/defaults.h"
#include "api/jobs.h"
#include "api/preflight.h"
#include "api/verify.h"
#include "base/version.h"
#include "cdi/http_source.h"
#include "io/path_overlap.h"
#include "job/credentials.h"
#include "job/job.h"
#include "job/job_status.h"
#include "job/public_types.h"
#include "monitor/health.h"
#include "resume/resume_probe.h"
#include "sink/device_info.h"
#include "source/source.h"
#include "target/target.h"
#include "transfer/disk_options.h"
#include "transfer/readback.h"

/* -1 with *error filled (may be NULL) if pointer is, which the caller must give;
 * name is what the header calls it. */
static int refuse_null(const void *pointer, const char *name,
                       struct cw_error *error)
{
    struct error err;

    if (pointer)
        return 0;
    error_set(&err, ERROR_USAGE, 0, "%s is NULL, and is required", name);
    public_error_fill(error, &err);
    return -1;
}

static int refuse_source(const struct cw_source_options *options,
                         struct cw_error *error)
{
    return refuse_null(options, "options", error) < 0
               ? -1
               : refuse_null(options->image, "options->image", error);
}

static int refuse_target(const struct cw_target_options *options,
                         struct cw_error *error)
{
    return refuse_null(options, "options", error) < 0
               ? -1
               : refuse_null(options->destination, "options->destination",
                             error);
}

const char *cw_phase_name(enum cw_phase phase)
{
    return job_phase_name(phase);
}

const char *cw_version(void)
{
    return version_text();
}

struct cw_job *cw_source_open(const struct cw_source_options *options,
                              struct cw_error *error)
{
    struct cw_source_options complete;
    struct cw_job *job;
    struct error err;

    if (refuse_source(options, error) < 0 ||
        refuse_null(options->target, "options->target", error) < 0)
        return NULL;
    complete = defaults_source(options);
    job = source_open(&complete, &health_observer, &err);
    if (!job)
        public_error_fill(error, &err);
    return job;
}

struct cw_job *cw_target_open(const struct cw_target_options *options,
                              struct cw_error *error)
{
    struct cw_target_options complete;
    struct cw_job *job;
    struct error err;

    if (refuse_target(options, error) < 0)
        return NULL;
    complete = defaults_target(options);
    job = target_open(&complete, &health_observer, &err);
    if (!job)
        public_error_fill(error, &err);
    return job;
}

struct cw_job *cw_volume_open(const struct cw_volume_options *options,
                              struct cw_error *error)
{
    struct cw_volume_options complete;
    struct cw_source_options disk;
    struct cw_job *job;
    struct error err;

    if (refuse_null(options, "options", error) < 0 ||
        refuse_null(options->path, "options->path", error) < 0 ||
        refuse_null(options->url, "options->url", error) < 0)
        return NULL;
    complete = defaults_volume(options);
    if (options->disk) { /* which is read only here */
        disk = defaults_source(options->disk);
        complete.disk = &disk;
    }
    job = http_source_open(&complete, &health_observer, &err);
    if (!job)
        public_error_fill(error, &err);
    return job;
}

struct cw_job *cw_local_open(const struct cw_source_options *source,
                             const struct cw_target_options *target,
                             struct cw_error *error)
{
    struct cw_source_options from;
    struct cw_target_options to;
    struct cw_job *job;
    struct error err;

    if (refuse_source(source, error) < 0 || refuse_target(target, error) < 0)
        return NULL;
    from = defaults_source(source);
    to = defaults_target(target);
    job = local_open(&from, &to, &err);
    if (!job)
        public_error_fill(error, &err);
    return job;
}

int cw_source_inspect(const struct cw_source_options *options,
                      uint32_t fs_overhead_ppm,
                      struct cw_inspection *inspection, struct cw_error *error)
{
    struct cw_source_options complete;
    struct error err;

    if (refuse_source(options, error) < 0 ||
        refuse_null(inspection, "inspection", error) < 0)
        return -1;
    complete = defaults_source(options);
    if (source_inspect(&complete, defaults_fs_overhead(fs_overhead_ppm),
                       inspection, &err) == 0)
        return 0;
    public_error_fill(error, &err);
    return -1;
}

int cw_source_map(const struct cw_source_options *options,
                  int (*each)(void *opaque, uint64_t offset, uint64_t length,
                              bool is_zero),
                  void *opaque, struct cw_error *error)
{
    struct cw_source_options complete;
    struct error err;

    if (refuse_source(options, error) < 0 ||
        refuse_null(each ? "" : NULL, "each", error) < 0)
        return -1;
    complete = defaults_source(options);
    if (source_map(&complete, each, opaque, &err) == 0)
        return 0;
    public_error_fill(error, &err);
    return -1;
}

int cw_target_plan(const struct cw_target_options *options,
                   uint64_t source_bytes, struct cw_plan *plan,
                   struct cw_error *error)
{
    struct cw_target_options complete;
    struct error err;

    if (refuse_target(options, error) < 0 ||
        refuse_null(plan, "plan", error) < 0)
        return -1;
    complete = defaults_target(options);
    if (target_plan(&complete, source_bytes, plan, &err) == 0)
        return 0;
    public_error_fill(error, &err);
    return -1;
}

int cw_target_look(const struct cw_target_options *options,
                   struct cw_destination *destination, struct cw_error *error)
{
    struct device_info look;
    struct error err;

    if (refuse_target(options, error) < 0 ||
        refuse_null(destination, "destination", error) < 0)
        return -1;
    if (device_info_read(options->destination, &look, &err) < 0) {
        public_error_fill(error, &err);
        return -1;
    }
    destination->is_block_device = look.is_block_device;
    destination->is_blank = look.is_blank;
    destination->size_bytes = look.size_bytes;
    memcpy(destination->model, look.model, sizeof(look.model));
    memcpy(destination->serial, look.serial, sizeof(look.serial));
    memcpy(destination->contents, look.contents, sizeof(look.contents));
    return 0;
}

bool cw_target_is_begun(const struct cw_target_options *options)
{
    struct checkpoint_head head;
    enum resume_probe found;

    if (!options || !options->destination)
        return false;
    found = resume_probe_look(options, &head);
    return found == RESUME_PROBE_DEVICE ||
           found == RESUME_PROBE_FINISHED_DEVICE;
}

unsigned cw_doctor(const char *path, struct cw_finding findings[CW_FINDINGS])
{
    return !findings ? 0 : preflight_examine(path, findings, CW_FINDINGS);
}

_Static_assert(CW_PAIRING_CHARS >= PAIRING_CODE_CHARS, "the code fits");

int cw_pairing_make(char code[CW_PAIRING_CHARS], struct cw_error *error)
{
    struct error err;

    if (refuse_null(code, "code", error) < 0)
        return -1;
    if (credentials_make(code, &err) == 0)
        return 0;
    public_error_fill(error, &err);
    return -1;
}

int cw_source_digest(const struct cw_source_options *options,
                     char text[CW_DIGEST_CHARS], struct cw_error *error)
{
    struct cw_source_options complete;
    struct image_options image;
    struct error err;

    if (refuse_source(options, error) < 0 ||
        refuse_null(text, "text", error) < 0)
        return -1;
    complete = defaults_source(options);
    disk_options_image(&complete, &image);
    if (verify_digest(&image, options->tuning.io_engine, options->digest, 0,
                      text, &err) == 0)
        return 0;
    public_error_fill(error, &err);
    return -1;
}

/* The disk at a destination, as an image to read. */
static struct image_options written(const struct cw_target_options *options)
{
    return (struct image_options){
        .path = options->destination,
        .mode = options->tuning.io_mode,
        .holes = options->tuning.holes,
        .format = CW_FORMAT_RAW,
    };
}

int cw_target_digest(const struct cw_target_options *options,
                     enum cw_digest digest, char text[CW_DIGEST_CHARS],
                     struct cw_error *error)
{
    struct image_options image;
    struct error err;

    if (refuse_target(options, error) < 0 ||
        refuse_null(text, "text", error) < 0)
        return -1;
    image = written(options);
    if (verify_digest(&image, options->tuning.io_engine, digest,
                      options->size_bytes, text, &err) == 0)
        return 0;
    readback_failed(&err, "digest what the target holds");
    public_error_fill(error, &err);
    return -1;
}

int cw_source_check_receipt(
    const struct cw_source_options *options, const char *path,
    int (*each)(void *opaque, uint64_t offset, uint64_t length), void *opaque,
    struct cw_receipt *receipt, struct cw_error *error)
{
    const struct verify_listener listener = { each, opaque, receipt };
    struct cw_source_options complete;
    struct image_options image;
    struct error err;

    if (refuse_source(options, error) < 0 ||
        refuse_null(path, "path", error) < 0 ||
        refuse_null(receipt, "receipt", error) < 0)
        return -1;
    complete = defaults_source(options);
    disk_options_image(&complete, &image);
    if (verify_check_receipt(&image, options->tuning.io_engine, path, &listener,
                             &err) == 0)
        return 0;
    public_error_fill(error, &err);
    return -1;
}

int cw_target_check_receipt(
    const struct cw_target_options *options, const char *path,
    int (*each)(void *opaque, uint64_t offset, uint64_t length), void *opaque,
    struct cw_receipt *receipt, struct cw_error *error)
{
    const struct verify_listener listener = { each, opaque, receipt };
    struct image_options image;
    struct error err;

    if (refuse_target(options, error) < 0 ||
        refuse_null(path, "path", error) < 0 ||
        refuse_null(receipt, "receipt", error) < 0)
        return -1;
    image = written(options);
    if (verify_check_receipt(&image, options->tuning.io_engine, path, &listener,
                             &err) == 0)
        return 0;
    public_error_fill(error, &err);
    return -1;
}

int cw_run(struct cw_job *job, struct cw_summary *summary,
           struct cw_error *error)
{
    struct error err;
    int r;

    if (refuse_null(job, "job", error) < 0 ||
        refuse_null(summary, "summary", error) < 0)
        return -1;
    *summary = (struct cw_summary){ 0 };
    r = job->run(job, summary, &err);
    if (r < 0)
        public_error_fill(error, &err);
    return r;
}

void cw_stop(struct cw_job *job)
{
    if (!job)
        return;
    atomic_store(&job->state.cancelled, true);
    job_state_wake(&job->state);
}

void cw_reload(struct cw_job *job)
{
    if (!job)
        return;
    atomic_store(&job->state.wants_reload, true);
    job_state_wake(&job->state);
}

void cw_report(struct cw_job *job)
{
    if (!job)
        return;
    atomic_store(&job->state.wants_report, true);
    job_state_wake(&job->state);
}

void cw_close(struct cw_job *job)
{
    if (job)
        job->free(job);
}

bool cw_paths_overlap(const char *a, const char *b)
{
    return a && b && path_overlap(a, b);
}
