#include "job/task.h"

#include "job/watchdog.h"

static void *task_main(void *arg)
{
    struct task *errand = arg;

    errand->result = errand->work(errand->arg, &errand->err);
    atomic_store(&errand->done, true);
    job_wake(errand->job);
    return NULL;
}

int task_start(struct task *errand, struct cw_job *job,
               int (*work)(void *arg, struct error *err), void *arg,
               struct error *err)
{
    errand->job = job;
    errand->work = work;
    errand->arg = arg;
    errand->result = 0;
    atomic_store(&errand->done, false);
    if (job_start_thread(&errand->thread, task_main, errand, err) < 0)
        return -1;
    errand->running = true;
    return 0;
}

bool task_is_done(const struct task *errand)
{
    return errand->running && atomic_load(&errand->done);
}

int task_join(struct task *errand, struct error *err)
{
    if (!errand->running)
        return 0;
    watchdog_join(errand->job, errand->thread);
    errand->running = false;
    if (errand->result < 0)
        *err = errand->err;
    return errand->result;
}

int task_run(struct task *errand, struct cw_job *job,
             int (*work)(void *arg, struct error *err), int (*serve)(void *arg),
             void *arg)
{
    struct error err;
    int r = 0;

    if (task_start(errand, job, work, arg, &err) < 0) {
        job_fail(job, &err);
        return -1;
    }
    watchdog_start(job);
    while (r == 0 && !task_is_done(errand)) {
        r = serve(arg);
        watchdog_check(job);
    }
    if (task_join(errand, &err) < 0)
        job_fail(job, &err);
    return r < 0 || job_stopping(job) ? -1 : 0;
}
