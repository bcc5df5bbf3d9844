#include "job/worker.h"

#include <errno.h>

#include "job/watchdog.h"
#include "plan/chunk_grid.h"

static void *lane_main(void *arg)
{
    struct lane *lane = arg;
    struct error err;

    if (lane->run(lane, &err) < 0) {
        error_wrap(&err, "lane %u", lane->number);
        job_fail(lane->job, &err);
    }
    atomic_fetch_sub(lane->running, 1);
    job_wake(lane->job);
    return NULL;
}

int lane_start(struct lane *lane, struct cw_job *job, _Atomic unsigned *running,
               unsigned number,
               int (*run)(struct lane *lane, struct error *err),
               struct error *err)
{
    lane->job = job;
    lane->running = running;
    lane->number = number;
    lane->run = run;
    atomic_fetch_add(running, 1);
    if (job_start_thread(&lane->thread, lane_main, lane, err) < 0) {
        atomic_fetch_sub(running, 1);
        return -1;
    }
    lane->started = true;
    return 0;
}

bool lane_join(struct lane *lane)
{
    if (!lane->started)
        return false;
    stall_join(lane->job, lane->thread);
    lane->started = false;
    return true;
}

int lane_tools_open(struct lane_tools *tools, enum ring_engine engine,
                    unsigned block_count, struct error *err)
{
    size_t region_len;
    void *region;

    tools->block_count = block_count;
    tools->pool = pool_open(block_count, GRID_CHUNK_BYTES);
    if (!tools->pool)
        return error_set(err, ERROR_SYSTEM, ENOMEM, "make buffers");
    region = pool_region(tools->pool, &region_len);
    return ring_open(engine, JOB_RING_DEPTH, region, region_len, &tools->ring,
                     err);
}

void lane_tools_close(struct lane_tools *tools)
{
    ring_close(tools->ring); /* first: it waits for what is in flight */
    pool_close(tools->pool);
}
