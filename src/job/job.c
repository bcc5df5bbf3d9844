#include "job/job.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/parse.h"
#include "io/limits.h"
#include "job/credentials.h"
#include "job/job_status.h"
#include "job/public_types.h"
#include "net/conn.h"
#include "plan/bottleneck.h"
#include "plan/chunk_grid.h"
#include "record/receipt.h"

static void forward_log(void *opaque, enum cw_log_level level, const char *line)
{
    const struct cw_events *events = opaque;

    events->log(events->opaque, level, line);
}

static int open_paired(const struct cw_job *job,
                       const struct cw_security *given, struct tls **tls,
                       struct error *err)
{
    struct tls_options options = { .ciphers = given->ciphers,
                                   .groups = given->groups };
    struct credentials code;
    int r;

    if (given->cert_file || given->key_file || given->ca_file ||
        given->psk_file)
        return error_set(err, ERROR_USAGE, 0,
                         "a pairing code and another identity: give one of "
                         "them");
    r = credentials_read(given->pairing_code, &code, err);
    options.psk_key = &code.key;
    if (r == 0)
        r = tls_open(&options, !job->is_source, tls, err);
    if (r == 0)
        log_info("pairing with the code known as %s", code.identity);
    credentials_wipe(&code);
    return r;
}

static int open_security(const struct cw_job *job,
                         const struct cw_security *given, struct tls **tls,
                         struct error *err)
{
    struct tls_options options = {
        .cert_file = given->cert_file,
        .key_file = given->key_file,
        .ca_file = given->ca_file,
        .psk_file = given->psk_file,
        .psk_identity = given->psk_identity,
        .peer_name = given->peer_name,
        .allow_tls12 = given->allow_tls12,
        .openssl_aes = given->openssl_aes,
        .ciphers = given->ciphers,
        .groups = given->groups,
        .http = given->http,
        .http_only = given->http_only,
    };

    if (given->pairing_code)
        return open_paired(job, given, tls, err);
    return tls_open(&options, !job->is_source, tls, err);
}

void job_read_security(struct cw_job *job)
{
    struct tls *fresh, *stale;
    struct error err;

    if (!job->credentials.security.cert_file &&
        !job->credentials.security.psk_file)
        return; /* a pairing code, not files */
    if (open_security(job, &job->credentials.security, &fresh, &err) < 0) {
        log_warn("%s; going on with what was read before", err.text);
        return;
    }
    pthread_mutex_lock(&job->credentials.lock);
    stale = job->credentials.tls;
    job->credentials.tls = fresh;
    pthread_mutex_unlock(&job->credentials.lock);
    tls_close(stale);
}

struct tls *job_share_tls(struct cw_job *job)
{
    struct tls *tls;

    pthread_mutex_lock(&job->credentials.lock);
    tls = tls_share(job->credentials.tls);
    pthread_mutex_unlock(&job->credentials.lock);
    return tls;
}

static int choose_engine(struct cw_job *job, struct error *err)
{
    char why[256] = "";

    if (io_queue_choose(job->tuning.io_engine, &job->resources.engine, why,
                        sizeof(why), err) < 0)
        return -1;
    job->resources.queue_engine = job->tuning.io_engine == CW_IO_ENGINE_AUTO &&
                                          job->resources.engine ==
                                              CW_IO_ENGINE_URING
                                      ? CW_IO_ENGINE_AUTO
                                      : job->resources.engine;
    log_info("I/O engine %s%s%s", io_queue_engine_name(job->resources.engine),
             why[0] ? ": " : "", why);
    return 0;
}

/*
 * A quarter of the cgroup's memory limit.  The rest is for the page cache of a
 * buffered disk, socket buffers (which count too), TLS and the digests.
 */
static void budget_memory(struct cw_job *job)
{
    uint64_t limit_bytes = limits_memory_bytes();
    char limit[32], pool[32];

    job->resources.pool_bytes = UINT64_MAX;
    if (limit_bytes == LIMITS_NONE)
        return;
    job->resources.pool_bytes = limit_bytes / 4;
    log_info("memory limit %s: buffers take at most %s",
             format_bytes(limit, sizeof(limit), limit_bytes),
             format_bytes(pool, sizeof(pool), job->resources.pool_bytes));
}

int job_init(struct cw_job *job, bool is_source,
             const struct cw_security *security, const struct cw_tuning *tuning,
             const struct cw_events *events, struct error *err)
{
    job->is_source = is_source;
    if (security)
        job->credentials.security = *security;
    job->credentials.security.pairing_code = NULL; /* the caller may wipe it */
    job->tuning = *tuning;
    job->events = *events;
    job_state_zero(&job->state);
    pthread_mutex_init(&job->credentials.lock, NULL);
    if (events->log)
        log_open(forward_log, &job->events, events->log_level);

    if (events->receipt && receipt_try(events->receipt, err) < 0)
        return -1;
    if (job_state_init(&job->state, err) < 0 ||
        conn_check_congestion(job->tuning.congestion, err) < 0 ||
        choose_engine(job, err) < 0)
        return -1;
    budget_memory(job);
    if (security &&
        open_security(job, security, &job->credentials.tls, err) < 0)
        return -1;
    if (!security)
        job->observer = NULL;
    return job->observer ? job->observer->open(job, err) : 0;
}

void job_fini(struct cw_job *job)
{
    if (job->observer)
        job->observer->close(job);
    digest_close(job->status.digest);
    tls_close(job->credentials.tls);
    job_state_fini(&job->state);
    pthread_mutex_destroy(&job->credentials.lock);
    log_open(NULL, NULL, CW_LOG_ERROR);
}

void job_log_status(const struct cw_job *job)
{
    const struct progress *p = &job->status.progress;
    char handled[32], total[32], data[32], same[32];

    log_info(
        "status: %s, %s of %s done, %s moved, %s held already, %u lanes "
        "(waited %llu s for disks, %llu s for the network), "
        "%llu reconnects",
        job_phase_name(job->status.phase),
        format_bytes(handled, sizeof(handled), progress_get(&p->handled_bytes)),
        format_bytes(total, sizeof(total), job->status.total_bytes),
        format_bytes(data, sizeof(data), progress_get(&p->data_bytes)),
        format_bytes(same, sizeof(same), progress_get(&p->resumed_bytes)),
        job->resources.lanes,
        (unsigned long long)(progress_get(&p->wait_disk_ns) / CLOCK_SECOND_NS),
        (unsigned long long)(progress_get(&p->wait_net_ns) / CLOCK_SECOND_NS),
        (unsigned long long)progress_get(&p->reconnects));
}

void job_attend(struct cw_job *job)
{
    if (atomic_exchange(&job->state.wants_reload, false)) {
        log_info("reading certificates and keys again");
        job_read_security(job);
        if (job->reload)
            job->reload(job);
    }
    if (atomic_exchange(&job->state.wants_report, false)) {
        job_log_status(job);
        if (job->report)
            job->report(job);
    }
}

void job_begin(struct cw_job *job)
{
    struct progress *p = &job->status.progress;
    _Atomic uint64_t *counters[] = {
        &p->data_bytes,          &p->zero_bytes,     &p->resumed_bytes,
        &p->reconnects,          &p->zeroed_bytes,   &p->wire_bytes,
        &p->handled_bytes,       &p->wait_disk_ns,   &p->wait_net_ns,
        &p->verified_bytes,      &p->unread_bytes,   &p->compressed_bytes,
        &p->compressed_to_bytes, &p->surveyed_bytes, &p->paced_ns,
        &p->unverified_bytes,    &p->is_mixed,
    };

    for (size_t i = 0; i < sizeof(counters) / sizeof(counters[0]); i++)
        atomic_store(counters[i], 0);
    job->status.wire_bytes = job->status.unacked_bytes =
        job->status.shown_bytes = 0;
    job->status.start_ns = clock_now_ns();
    job->status.phase = CW_PHASE_STARTING;
}

uint64_t job_handled_bytes(struct cw_job *job)
{
    uint64_t handled = progress_get(&job->status.progress.handled_bytes);

    handled -= handled < job->status.unacked_bytes ? handled
                                                   : job->status.unacked_bytes;
    if (handled > job->status.shown_bytes)
        job->status.shown_bytes = handled;
    return job->status.shown_bytes;
}

static uint64_t handled_bytes(struct cw_job *job)
{
    uint64_t handled = job_handled_bytes(job);

    return handled < job->status.total_bytes ? handled
                                             : job->status.total_bytes;
}

void job_lost_peer(struct cw_job *job, uint64_t give_up_ns)
{
    job_state_go_on(&job->state);
    progress_add(&job->status.progress.reconnects, 1);
    if (give_up_ns == 0)
        job_found_peer(job);
    else if (job->status.lost_ns == 0)
        job->status.lost_ns = clock_now_ns();
    job->status.give_up_ns = give_up_ns;
    job_report(job);
}

void job_found_peer(struct cw_job *job)
{
    job->status.lost_ns = 0;
}

void job_report(struct cw_job *job)
{
    uint64_t now_ns = clock_now_ns();
    struct cw_progress progress = {
        .phase = job->status.phase,
        .disk_bytes = job->status.disk_bytes,
        .total_bytes = job->status.total_bytes,
        .handled_bytes = handled_bytes(job),
        .data_bytes = progress_get(&job->status.progress.data_bytes),
        .zero_bytes = progress_get(&job->status.progress.zero_bytes),
        .zeroed_bytes = progress_get(&job->status.progress.zeroed_bytes),
        .verified_bytes = progress_get(&job->status.progress.verified_bytes),
        .elapsed_ns = job->status.start_ns ? now_ns - job->status.start_ns : 0,
        .lanes = job->resources.lanes,
        .pass = (unsigned)progress_get(&job->status.progress.pass),
        .cutover_ns = progress_get(&job->status.progress.cutover_ns),
    };

    if (job->status.lost_ns != 0) {
        progress.lost_ns = now_ns - job->status.lost_ns + 1;
        progress.retry_ns = job->status.give_up_ns > now_ns
                                ? job->status.give_up_ns - now_ns
                                : 0;
    }

    if (job->events.progress)
        job->events.progress(job->events.opaque, &progress);
    if (job->observer)
        job->observer->update(job);
}

void job_set_ready(struct cw_job *job)
{
    job->status.is_ready = true;
    if (job->observer)
        job->observer->update(job);
}

void job_enter(struct cw_job *job, enum cw_phase phase)
{
    if (phase <= job->status.phase)
        return;
    if (phase == CW_PHASE_COPYING)
        job->status.copying_ns = clock_now_ns();
    if (phase == CW_PHASE_FLUSHING)
        job->status.copied_ns = clock_now_ns() - job->status.copying_ns;
    job->status.phase = phase;
    job_report(job);
}

/* The configured number of lanes, else lanes; limited by memory and maximum. */
static unsigned fit_lanes(const struct cw_job *job, unsigned lanes)
{
    uint64_t fit = job->resources.pool_bytes /
                   (JOB_BUFFERS_PER_LANE * CHUNK_BYTES);

    if (job->tuning.lanes > 0)
        return job->tuning.lanes;
    if (lanes > JOB_LANES_MAX)
        lanes = JOB_LANES_MAX;
    if (lanes > fit)
        lanes = (unsigned)fit;
    return lanes < 1 ? 1 : lanes;
}

unsigned job_lanes_wanted(const struct cw_job *job, bool is_decoded)
{
    return fit_lanes(job, is_decoded ? limits_cpus() : limits_cpus() / 2);
}

unsigned job_lanes_accepted(const struct cw_job *job)
{
    return fit_lanes(job, limits_cpus());
}

unsigned job_buffers_per_lane(const struct cw_job *job)
{
    uint64_t fit = job->resources.pool_bytes / CHUNK_BYTES /
                   job->resources.lanes;

    if (fit < JOB_BUFFERS_MIN)
        return JOB_BUFFERS_MIN;
    return fit < JOB_BUFFERS_PER_LANE ? (unsigned)fit : JOB_BUFFERS_PER_LANE;
}

struct message_waits job_waits(const struct cw_job *job)
{
    return (struct message_waits){
        .disk_ns = progress_get(&job->status.progress.wait_disk_ns),
        .net_ns = progress_get(&job->status.progress.wait_net_ns),
    };
}

static void summarize_waits(const struct cw_job *job,
                            struct cw_summary *summary)
{
    struct message_waits ours = job_waits(job), theirs = job->status.peer_waits;
    struct message_waits source = job->is_source ? ours : theirs;
    struct message_waits target = job->is_source ? theirs : ours;
    struct bottleneck_facts facts = {
        .elapsed_ns = job->status.copied_ns,
        .data_bytes = progress_get(&job->status.progress.data_bytes),
        .lanes = job->resources.lanes,
        .source_disk_ns = source.disk_ns,
        .source_net_ns = source.net_ns,
        .target_disk_ns = target.disk_ns,
        .target_net_ns = target.net_ns,
        .paced_ns = progress_get(&job->status.progress.paced_ns),
    };

    bottleneck_format(&facts, summary->limited_by, sizeof(summary->limited_by));
}

void job_summarize(const struct cw_job *job, struct cw_summary *summary)
{
    summary->disk_bytes = job->status.disk_bytes;
    summary->padding_bytes = job->status.padding_bytes;
    summary->data_bytes = progress_get(&job->status.progress.data_bytes);
    summary->zero_bytes = progress_get(&job->status.progress.zero_bytes);
    summary->same_bytes = progress_get(&job->status.progress.resumed_bytes);
    summary->unread_bytes = progress_get(&job->status.progress.unread_bytes);
    summary->unverified_bytes = progress_get(
        &job->status.progress.unverified_bytes);
    summary->is_mixed = progress_get(&job->status.progress.is_mixed) != 0;
    summary->passes = (unsigned)progress_get(&job->status.progress.pass);
    summary->verified_bytes = (job->status.digest
                                   ? digest_disk_bytes(job->status.digest)
                                   : 0) -
                              summary->unread_bytes;
    summary->wire_bytes = progress_get(&job->status.progress.wire_bytes);
    summary->compressed_bytes = progress_get(
        &job->status.progress.compressed_bytes);
    summary->compressed_to_bytes = progress_get(
        &job->status.progress.compressed_to_bytes);
    summary->wait_disk_ns = progress_get(&job->status.progress.wait_disk_ns);
    summary->wait_net_ns = progress_get(&job->status.progress.wait_net_ns);
    summary->elapsed_ns = clock_now_ns() - job->status.start_ns;
    summary->lanes = job->resources.lanes;
    summarize_waits(job, summary);
    summary->reconnects = (unsigned)progress_get(
        &job->status.progress.reconnects);
    summary->io_engine = io_queue_engine_name(job->resources.engine);
}

void job_waited(_Atomic uint64_t *counter, uint64_t start_ns)
{
    progress_add(counter, clock_now_ns() - start_ns);
}
