#include "job/job.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/parse.h"
#include "io/limits.h"
#include "job/credentials.h"
#include "job/job_status.h"
#include "net/congestion.h"
#include "plan/bottleneck.h"
#include "plan/chunk_grid.h"
#include "record/receipt.h"

static void forward_log(void *opaque, enum log_level level, const char *line)
{
    const struct cw_events *events = opaque;

    events->log(events->opaque, (enum cw_log_level)level, line);
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

    if (!job->security.cert_file && !job->security.psk_file)
        return; /* a code, not files */
    if (open_security(job, &job->security, &fresh, &err) < 0) {
        log_warn("%s; going on with what was read before", err.text);
        return;
    }
    pthread_mutex_lock(&job->lock);
    stale = job->tls;
    job->tls = fresh;
    pthread_mutex_unlock(&job->lock);
    tls_close(stale);
}

struct tls *job_share_tls(struct cw_job *job)
{
    struct tls *tls;

    pthread_mutex_lock(&job->lock);
    tls = tls_share(job->tls);
    pthread_mutex_unlock(&job->lock);
    return tls;
}

static int choose_engine(struct cw_job *job, struct error *err)
{
    char why[256] = "";

    if (io_queue_choose((enum io_engine)job->tuning.io_engine, &job->engine,
                        why, sizeof(why), err) < 0)
        return -1;
    job->ring_wish = job->tuning.io_engine == CW_IO_ENGINE_AUTO &&
                             job->engine == IO_ENGINE_URING
                         ? IO_ENGINE_AUTO
                         : job->engine;
    log_info("I/O engine %s%s%s", io_queue_engine_name(job->engine),
             why[0] ? ": " : "", why);
    return 0;
}

/*
 * A quarter of what the cgroup gives us: the page cache of a buffered disk,
 * socket buffers (they count too), TLS and the digests live off the rest.
 */
static void budget_memory(struct cw_job *job)
{
    uint64_t limit_bytes = limits_memory_bytes();
    char limit[32], pool[32];

    job->pool_bytes = UINT64_MAX;
    if (limit_bytes == LIMITS_NONE)
        return;
    job->pool_bytes = limit_bytes / 4;
    log_info("memory limit %s: buffers take at most %s",
             format_bytes(limit, sizeof(limit), limit_bytes),
             format_bytes(pool, sizeof(pool), job->pool_bytes));
}

int job_init(struct cw_job *job, bool is_source,
             const struct cw_security *security, const struct cw_tuning *tuning,
             const struct cw_events *events, struct error *err)
{
    job->is_source = is_source;
    if (security)
        job->security = *security;
    job->security.pairing_code = NULL; /* the caller may wipe it */
    job->tuning = *tuning;
    job->events = *events;
    if (job->tuning.retry_ns == 0)
        job->tuning.retry_ns = JOB_RETRY_NS;
    if (job->tuning.stall_ns == 0)
        job->tuning.stall_ns = JOB_STALL_NS;
    if (job->tuning.dead_peer_ns == 0)
        job->tuning.dead_peer_ns = JOB_DEAD_PEER_NS;
    job->wake_fd = job->stop_fd = -1;
    pthread_mutex_init(&job->lock, NULL);
    if (events->log)
        log_open(forward_log, &job->events, (enum log_level)events->log_level);

    if (events->receipt && receipt_try(events->receipt, err) < 0)
        return -1;
    job->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    job->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (job->wake_fd < 0 || job->stop_fd < 0)
        return error_set(err, ERROR_SYSTEM, errno, "make an eventfd");
    if (congestion_check(job->tuning.congestion, err) < 0 ||
        choose_engine(job, err) < 0)
        return -1;
    budget_memory(job);
    if (security && open_security(job, security, &job->tls, err) < 0)
        return -1;
    if (!security)
        job->observer = NULL;
    return job->observer ? job->observer->open(job, err) : 0;
}

void job_fini(struct cw_job *job)
{
    if (job->observer)
        job->observer->close(job);
    digest_close(job->digest);
    tls_close(job->tls);
    if (job->wake_fd >= 0)
        close(job->wake_fd);
    if (job->stop_fd >= 0)
        close(job->stop_fd);
    pthread_mutex_destroy(&job->lock);
    log_open(NULL, NULL, LOG_LEVEL_ERROR);
}

static void raise_fd(int fd)
{
    uint64_t one = 1;
    ssize_t n = write(fd, &one, sizeof(one));

    (void)n; /* EAGAIN: it is raised already */
}

void job_wake(struct cw_job *job)
{
    raise_fd(job->wake_fd);
}

static bool is_grave(enum error_kind kind)
{
    return kind == ERROR_TARGET_IO || kind == ERROR_SOURCE_IO ||
           kind == ERROR_NO_SPACE;
}

void job_fail(struct cw_job *job, const struct error *err)
{
    pthread_mutex_lock(&job->lock);
    if (job->first.kind == ERROR_NONE ||
        (job->first.kind == ERROR_TEMPORARY && is_grave(err->kind))) {
        job->first = *err;
        if (err->kind == ERROR_MISMATCH)
            progress_add(&job->progress.verify_failures, 1);
    }
    pthread_mutex_unlock(&job->lock);

    atomic_store(&job->stop, true);
    raise_fd(job->stop_fd);
    raise_fd(job->wake_fd);
}

void job_replace_error(struct cw_job *job, const struct error *err)
{
    pthread_mutex_lock(&job->lock);
    if (job->first.kind == ERROR_TEMPORARY)
        job->first = *err;
    pthread_mutex_unlock(&job->lock);
}

bool job_first_error(struct cw_job *job, struct error *err)
{
    bool any;

    pthread_mutex_lock(&job->lock);
    any = job->first.kind != ERROR_NONE;
    if (any)
        *err = job->first;
    pthread_mutex_unlock(&job->lock);
    return any;
}

bool job_stopping(const struct cw_job *job)
{
    return atomic_load_explicit(&job->stop, memory_order_relaxed);
}

void job_log_status(const struct cw_job *job)
{
    const struct progress *p = &job->progress;
    char handled[32], total[32], data[32], same[32];

    log_info(
        "status: %s, %s of %s done, %s moved, %s held already, %u lanes "
        "(waited %llu s for disks, %llu s for the network), "
        "%llu reconnects",
        job_phase_name(job->phase),
        format_bytes(handled, sizeof(handled), progress_get(&p->handled_bytes)),
        format_bytes(total, sizeof(total), job->total_bytes),
        format_bytes(data, sizeof(data), progress_get(&p->data_bytes)),
        format_bytes(same, sizeof(same), progress_get(&p->resumed_bytes)),
        job->lanes,
        (unsigned long long)(progress_get(&p->wait_disk_ns) / CLOCK_SECOND_NS),
        (unsigned long long)(progress_get(&p->wait_net_ns) / CLOCK_SECOND_NS),
        (unsigned long long)progress_get(&p->reconnects));
}

void job_attend(struct cw_job *job)
{
    if (atomic_exchange(&job->wants_reload, false)) {
        log_info("reading certificates and keys again");
        job_read_security(job);
        if (job->reload)
            job->reload(job);
    }
    if (atomic_exchange(&job->wants_report, false))
        job_log_status(job);
}

static void drain_fd(int fd)
{
    uint64_t drained;
    ssize_t n = read(fd, &drained, sizeof(drained));

    (void)n; /* EAGAIN: it was not raised */
}

void job_go_on(struct cw_job *job)
{
    pthread_mutex_lock(&job->lock);
    job->first.kind = ERROR_NONE;
    pthread_mutex_unlock(&job->lock);
    drain_fd(job->stop_fd);
    drain_fd(job->wake_fd);
    atomic_store(&job->is_stalled, false);
    atomic_store(&job->stop, false);
}

void job_begin(struct cw_job *job)
{
    struct progress *p = &job->progress;
    _Atomic uint64_t *counters[] = {
        &p->data_bytes,          &p->zero_bytes,     &p->resumed_bytes,
        &p->reconnects,          &p->zeroed_bytes,   &p->wire_bytes,
        &p->handled_bytes,       &p->wait_disk_ns,   &p->wait_net_ns,
        &p->verified_bytes,      &p->unread_bytes,   &p->compressed_bytes,
        &p->compressed_to_bytes, &p->surveyed_bytes, &p->paced_ns,
    };

    for (size_t i = 0; i < sizeof(counters) / sizeof(counters[0]); i++)
        atomic_store(counters[i], 0);
    job->begun_ns = clock_now_ns();
    job->phase = CW_PHASE_STARTING;
}

static uint64_t handled_bytes(const struct cw_job *job)
{
    uint64_t handled = progress_get(&job->progress.handled_bytes);

    return handled < job->total_bytes ? handled : job->total_bytes;
}

void job_report(struct cw_job *job)
{
    struct cw_progress progress = {
        .phase = job->phase,
        .disk_bytes = job->disk_bytes,
        .total_bytes = job->total_bytes,
        .handled_bytes = handled_bytes(job),
        .data_bytes = progress_get(&job->progress.data_bytes),
        .zero_bytes = progress_get(&job->progress.zero_bytes),
        .zeroed_bytes = progress_get(&job->progress.zeroed_bytes),
        .verified_bytes = progress_get(&job->progress.verified_bytes),
        .elapsed_ns = job->begun_ns ? clock_now_ns() - job->begun_ns : 0,
        .lanes = job->lanes,
    };

    if (job->events.progress)
        job->events.progress(job->events.opaque, &progress);
    if (job->observer)
        job->observer->update(job);
}

void job_set_ready(struct cw_job *job)
{
    job->is_ready = true;
    if (job->observer)
        job->observer->update(job);
}

void job_enter(struct cw_job *job, enum cw_phase phase)
{
    if (phase <= job->phase)
        return;
    if (phase == CW_PHASE_COPYING)
        job->copying_ns = clock_now_ns();
    if (phase == CW_PHASE_FLUSHING)
        job->copied_ns = clock_now_ns() - job->copying_ns;
    job->phase = phase;
    job_report(job);
}

/* As asked, or so many, as far as memory and reason go. */
static unsigned fit_lanes(const struct cw_job *job, unsigned lanes)
{
    uint64_t fit = job->pool_bytes / (JOB_BLOCKS_PER_LANE * CHUNK_BYTES);

    if (job->tuning.lanes > 0)
        return job->tuning.lanes;
    if (lanes > JOB_LANES_MOST)
        lanes = JOB_LANES_MOST;
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

unsigned job_blocks_per_lane(const struct cw_job *job)
{
    uint64_t fit = job->pool_bytes / CHUNK_BYTES / job->lanes;

    if (fit < JOB_BLOCKS_LEAST)
        return JOB_BLOCKS_LEAST;
    return fit < JOB_BLOCKS_PER_LANE ? (unsigned)fit : JOB_BLOCKS_PER_LANE;
}

struct message_waits job_waits(const struct cw_job *job)
{
    return (struct message_waits){
        .disk_ns = progress_get(&job->progress.wait_disk_ns),
        .net_ns = progress_get(&job->progress.wait_net_ns),
    };
}

static void summarize_waits(const struct cw_job *job,
                            struct cw_summary *summary)
{
    struct message_waits ours = job_waits(job), theirs = job->peer_waits;
    struct message_waits source = job->is_source ? ours : theirs;
    struct message_waits target = job->is_source ? theirs : ours;
    struct bottleneck_facts facts = {
        .elapsed_ns = job->copied_ns,
        .data_bytes = progress_get(&job->progress.data_bytes),
        .lanes = job->lanes,
        .source_disk_ns = source.disk_ns,
        .source_net_ns = source.net_ns,
        .target_disk_ns = target.disk_ns,
        .target_net_ns = target.net_ns,
        .paced_ns = progress_get(&job->progress.paced_ns),
    };

    bottleneck_format(&facts, summary->limited_by, sizeof(summary->limited_by));
}

void job_summarize(const struct cw_job *job, struct cw_summary *summary)
{
    summary->disk_bytes = job->disk_bytes;
    summary->data_bytes = progress_get(&job->progress.data_bytes);
    summary->zero_bytes = progress_get(&job->progress.zero_bytes);
    summary->same_bytes = progress_get(&job->progress.resumed_bytes);
    summary->unread_bytes = progress_get(&job->progress.unread_bytes);
    summary->verified_bytes = (job->digest ? digest_disk_bytes(job->digest)
                                           : 0) -
                              summary->unread_bytes;
    summary->wire_bytes = progress_get(&job->progress.wire_bytes);
    summary->compressed_bytes = progress_get(&job->progress.compressed_bytes);
    summary->compressed_to_bytes = progress_get(
        &job->progress.compressed_to_bytes);
    summary->wait_disk_ns = progress_get(&job->progress.wait_disk_ns);
    summary->wait_net_ns = progress_get(&job->progress.wait_net_ns);
    summary->elapsed_ns = clock_now_ns() - job->begun_ns;
    summary->lanes = job->lanes;
    summarize_waits(job, summary);
    summary->reconnects = (unsigned)progress_get(&job->progress.reconnects);
    summary->io_engine = io_queue_engine_name(job->engine);
}

int job_start_thread(pthread_t *thread, void *(*main)(void *), void *arg,
                     struct error *err)
{
    pthread_attr_t attr;
    sigset_t all, old;
    int r;

    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, JOB_THREAD_STACK);
    sigfillset(&all); /* signals are for the main thread */
    pthread_sigmask(SIG_SETMASK, &all, &old);
    r = pthread_create(thread, &attr, main, arg);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    pthread_attr_destroy(&attr);
    if (r != 0)
        return error_set(err, ERROR_SYSTEM, r, "start a thread");
    return 0;
}

void job_waited(_Atomic uint64_t *counter, uint64_t begun_ns)
{
    progress_add(counter, clock_now_ns() - begun_ns);
}
