#include "job/task.h"

#include "job/watchdog.h"

static void *errand_main(void *arg)
{
    struct errand *errand = arg;

    errand->result = errand->work(errand->arg, &errand->err);
    atomic_store(&errand->done, true);
    job_wake(errand->job);
    return NULL;
}

int errand_start(struct errand *errand, struct cw_job *job,
                 int (*work)(void *arg, struct error *err), void *arg,
                 struct error *err)
{
    errand->job = job;
    errand->work = work;
    errand->arg = arg;
    errand->result = 0;
    atomic_store(&errand->done, false);
    if (job_start_thread(&errand->thread, errand_main, errand, err) < 0)
        return -1;
    errand->running = true;
    return 0;
}

bool errand_is_done(const struct errand *errand)
{
    return errand->running && atomic_load(&errand->done);
}

int errand_join(struct errand *errand, struct error *err)
{
    if (!errand->running)
        return 0;
    stall_join(errand->job, errand->thread);
    errand->running = false;
    if (errand->result < 0)
        *err = errand->err;
    return errand->result;
}

int errand_run(struct errand *errand, struct cw_job *job,
               int (*work)(void *arg, struct error *err),
               int (*serve)(void *arg), void *arg)
{
    struct error err;
    int r = 0;

    if (errand_start(errand, job, work, arg, &err) < 0) {
        job_fail(job, &err);
        return -1;
    }
    stall_start(job);
    while (r == 0 && !errand_is_done(errand)) {
        r = serve(arg);
        stall_check(job);
    }
    if (errand_join(errand, &err) < 0)
        job_fail(job, &err);
    return r < 0 || job_stopping(job) ? -1 : 0;
}
