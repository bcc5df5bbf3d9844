#include "job/worker.h"

#include "base/thread.h"
#include "job/watchdog.h"

static void *worker_main(void *arg)
{
    struct worker *lane = arg;
    struct error err;

    if (lane->run(lane, &err) < 0) {
        error_wrap(&err, "lane %u", lane->number);
        job_state_fail(&lane->job->state, &err);
    }
    atomic_fetch_sub(lane->running, 1);
    job_state_wake(&lane->job->state);
    return NULL;
}

int worker_start(struct worker *lane, struct cw_job *job,
                 _Atomic unsigned *running, unsigned number,
                 int (*run)(struct worker *lane, struct error *err),
                 struct error *err)
{
    lane->job = job;
    lane->running = running;
    lane->number = number;
    lane->run = run;
    atomic_fetch_add(running, 1);
    if (thread_start(&lane->thread, worker_main, lane, err) < 0) {
        atomic_fetch_sub(running, 1);
        return -1;
    }
    lane->started = true;
    return 0;
}

bool worker_join(struct worker *lane)
{
    if (!lane->started)
        return false;
    watchdog_join(lane->job, lane->thread);
    lane->started = false;
    return true;
}
