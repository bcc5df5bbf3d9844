#include "program/run_job.h"

#include <string.h>

#include "program/sandbox.h"
#include "program/signals.h"

/* Both sides end within five seconds of a signal. */
#define STOP_PATIENCE_MS 4000

int run_job_open(void (*late)(void *opaque, int number), void *opaque,
                 struct error *err)
{
    const struct signals_plan plan = {
        .stop = cw_stop,
        .reload = cw_reload,
        .report = cw_report,
        .late = late,
        .opaque = opaque,
        .patience_ms = STOP_PATIENCE_MS,
    };

    return signals_open(&plan, err);
}

/* The disk is open, and no peer has been talked to. */
static int confine(struct cw_error *error)
{
    struct error err;

    if (sandbox_enter(&err) == 0)
        return 0;
    *error = (struct cw_error){
        .status = (int)err.kind,
        .kind = error_kind_name(err.kind),
        .hint = error_hint(err.kind),
        .offset = UINT64_MAX,
    };
    memcpy(error->text, err.text, sizeof(error->text));
    return -1;
}

int run_job(struct cw_job *job, struct cw_summary *summary,
            struct cw_error *error)
{
    int r = -1;

    signals_set_job(job);
    if (job && confine(error) == 0)
        r = cw_run(job, summary, error);
    signals_set_job(NULL);
    cw_close(job);
    return r;
}
