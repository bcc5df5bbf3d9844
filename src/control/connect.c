#include "control/connect.h"

#include <errno.h>
#include <inttypes.h>

#include "base/clock.h"
#include "base/log.h"
#include "job/retry.h"

/* The kernel's tcp_base_mss: passes wherever IPv6 does. */
#define SEGMENT_BYTES 1024U

#define PAUSE_FIRST_MS 100U
#define PAUSE_MAX_MS   2000U

bool connect_pause_ms(struct cw_job *job, unsigned ms)
{
    bool goes_on;

    job_report(job);
    job_state_wait(&job->state, -1, (int)ms);
    job_attend(job);
    goes_on = !atomic_load(&job->state.cancelled);
    if (!goes_on)
        job_state_wake(&job->state); /* the next dial ends at once, too */
    return goes_on;
}

/*
 * A timeout may mean that the answer is too large for the path: a TLS server
 * sends its certificates in full-size segments.  So every other attempt asks
 * for small segments.
 */
static void try_other_size(struct conn_options *options,
                           const struct error *err)
{
    if (err->errnum != ETIMEDOUT)
        return;
    options->segment_bytes = options->segment_bytes > 0 ? 0 : SEGMENT_BYTES;
}

/* Once, at the first pause. */
static void log_pause(const struct error *err, uint64_t wait_ns)
{
    log_warn("%s; trying again for %" PRIu64 " s%s", err->text,
             wait_ns / CLOCK_SECOND_NS,
             err->errnum == ETIMEDOUT
                 ? ", also with segments of 1024 bytes, in case larger ones "
                   "are lost on the way"
                 : "");
}

int connect_until(struct cw_job *job, const struct addr *target,
                  const struct conn_options *options,
                  const struct connect_patience *patience, struct conn **conn,
                  struct error *err)
{
    struct conn_options own = *options;
    unsigned wait_ms = PAUSE_FIRST_MS;

    own.deadline_ns = patience->deadline_ns;
    while (conn_dial(target, job->credentials.tls, &own, conn, err) < 0) {
        uint64_t now_ns = clock_now_ns();

        if (job_state_is_cancelled(&job->state, err))
            return -1;
        /* A wake-up for a request other than a stop also gives ERROR_CANCELLED. */
        if ((err->kind != ERROR_CANCELLED && !patience->may_pass(job, err)) ||
            now_ns >= patience->deadline_ns)
            return -1;
        if (wait_ms == PAUSE_FIRST_MS && err->kind != ERROR_CANCELLED)
            log_pause(err, patience->deadline_ns - now_ns);
        if (!connect_pause_ms(job, retry_jitter_ms(wait_ms)))
            continue;
        try_other_size(&own, err);
        progress_add(&job->status.progress.retries, 1);
        job_read_security(job);
        wait_ms = wait_ms * 2 < PAUSE_MAX_MS ? wait_ms * 2 : PAUSE_MAX_MS;
    }
    return 0;
}
