#include "job/task.h"

#include "base/thread.h"
#include "job/watchdog.h"

static void *task_main(void *arg)
{
    struct task *task = arg;

    task->result = task->work(task->arg, &task->err);
    atomic_store(&task->done, true);
    job_state_wake(&task->job->state);
    return NULL;
}

int task_start(struct task *task, struct cw_job *job,
               int (*work)(void *arg, struct error *err), void *arg,
               struct error *err)
{
    task->job = job;
    task->work = work;
    task->arg = arg;
    task->result = 0;
    atomic_store(&task->done, false);
    if (thread_start(&task->thread, task_main, task, err) < 0)
        return -1;
    task->running = true;
    return 0;
}

bool task_is_done(const struct task *task)
{
    return task->running && atomic_load(&task->done);
}

int task_join(struct task *task, struct error *err)
{
    if (!task->running)
        return 0;
    watchdog_join(task->job, task->thread);
    task->running = false;
    if (task->result < 0)
        *err = task->err;
    return task->result;
}

int task_run(struct task *task, struct cw_job *job,
             int (*work)(void *arg, struct error *err), int (*serve)(void *arg),
             void *arg)
{
    struct error err;
    int r = 0;

    if (task_start(task, job, work, arg, &err) < 0) {
        job_state_fail(&job->state, &err);
        return -1;
    }
    watchdog_start(job);
    while (r == 0 && !task_is_done(task)) {
        r = serve(arg);
        watchdog_check(job);
    }
    if (task_join(task, &err) < 0)
        job_state_fail(&job->state, &err);
    return r < 0 || job_state_stopping(&job->state) ? -1 : 0;
}
