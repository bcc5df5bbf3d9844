/* micro_lane.c - one lane of a copy from the page cache to nowhere: reading,
 * looking for zeros and digesting, without a disk or a network. */
#include "micro.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "null_sink.h"
#include "record/digest.h"
#include "transfer/copy_worker.h"

#define IMAGE_BYTES (UINT64_C(64) << 20)

static char path[] = "/tmp/cw-micro-lane-XXXXXX";

static void make_image(void)
{
    uint8_t *memory = micro_memory(IMAGE_BYTES);
    int fd = mkstemp(path);

    micro_fill(memory, IMAGE_BYTES);
    micro_require(fd >= 0 &&
                      write(fd, memory, IMAGE_BYTES) == (ssize_t)IMAGE_BYTES,
                  "cannot make an image");
    close(fd);
}

static void copy_image(void *opaque)
{
    const struct cw_tuning tuning = { 0 };
    const struct cw_events events = { 0 };
    struct cw_job *job = opaque;
    struct copy_worker lane = { 0 };
    struct local_plan plan = { .job = job,
                               .sink = null_sink_open(),
                               .image = { .path = path },
                               .virtual_bytes = IMAGE_BYTES };
    struct error err = { 0 };

    *job = (struct cw_job){ 0 };
    micro_require(plan.sink != NULL &&
                      job_init(job, true, NULL, &tuning, &events, &err) == 0 &&
                      digest_open(DIGEST_XXH3_128, IMAGE_BYTES,
                                  &job->status.digest, &err) == 0 &&
                      sink_prepare(plan.sink, IMAGE_BYTES, &err) == 0,
                  err.text);
    job->resources.lanes = 1;
    work_queue_init(&plan.work, chunk_grid_count(IMAGE_BYTES), 1, 1);
    micro_require(copy_worker_start(&lane, &plan, 0, &err) == 0, err.text);
    worker_join(&lane.lane);
    micro_require(!job_state_first_error(&job->state, &err), err.text);
    micro_require(progress_get(&job->status.progress.data_bytes) == IMAGE_BYTES,
                  "not all was copied");
    sink_close(plan.sink);
    job_fini(job);
}

int main(int argc, char **argv)
{
    struct cw_job *job = malloc(sizeof(*job));

    micro_begin(argc, argv);
    make_image();
    micro_run("lane.page-cache-to-null", IMAGE_BYTES, copy_image, job);
    unlink(path);
    free(job);
    return 0;
}
