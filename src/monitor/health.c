#include "monitor/health.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "http/server.h"
#include "job/job.h"
#include "monitor/metrics.h"

#define PAGE_BYTES 16384U

struct health {
    struct http_service service;
    struct http_server *server; /* owned */
    const char *cdi_owner_uid;  /* borrowed; NULL: clonewire's pages */
    pthread_mutex_t lock;       /* protects the fields below */
    struct metrics metrics;

    /* Main thread. */
    uint64_t moved_bytes; /* as last seen */
    uint64_t moved_ns;    /* Unix time of that; METRICS_UNKNOWN: never */
};

static void snapshot_metrics(struct health *health, struct metrics *metrics)
{
    pthread_mutex_lock(&health->lock);
    *metrics = health->metrics;
    pthread_mutex_unlock(&health->lock);
}

static bool show_metrics(void *opaque, struct request *request)
{
    struct metrics metrics;
    char page[PAGE_BYTES];

    snapshot_metrics(opaque, &metrics);
    metrics_format(&metrics, page, sizeof(page));
    request_answer(request, HTTP_OK, HTTP_METRICS, page);
    return false;
}

static bool show_alive(void *opaque, struct request *request)
{
    (void)opaque;
    request_answer(request, HTTP_OK, HTTP_METRICS, "ok\n");
    return false;
}

static bool show_ready(void *opaque, struct request *request)
{
    struct metrics metrics;

    snapshot_metrics(opaque, &metrics);
    if (metrics.is_ready)
        request_answer(request, HTTP_OK, HTTP_METRICS, "ready\n");
    else
        request_answer(request, HTTP_UNAVAILABLE, HTTP_METRICS, "not ready\n");
    return false;
}

/* CDI's controller reads one metric, at any path. */
static bool show_cdi_progress(void *opaque, struct request *request)
{
    struct health *health = opaque;
    struct metrics metrics;
    char page[PAGE_BYTES];

    snapshot_metrics(health, &metrics);
    metrics_format_cdi(health->cdi_owner_uid, metrics.progress_ppm, page,
                       sizeof(page));
    request_answer(request, HTTP_OK, HTTP_METRICS, page);
    return false;
}

static const struct http_route routes[] = {
    { "/metrics", show_metrics, true, 0 },
    { "/healthz", show_alive, true, 0 },
    { "/readyz", show_ready, true, 0 },
    { NULL, NULL, true, 0 },
};

static const struct http_route cdi_routes[] = {
    { NULL, show_cdi_progress, true, 0 },
};

static void take_progress(struct cw_job *job, struct metrics *m)
{
    const struct progress *p = &job->status.progress;
    uint64_t handled = job_handled_bytes(job);
    uint64_t elapsed = job->status.start_ns
                           ? clock_now_ns() - job->status.start_ns
                           : 0;

    m->progress_ppm = metrics_progress_ppm(job->status.phase, handled,
                                           job->status.total_bytes);
    m->eta_ns = metrics_eta_ns(job->status.phase, handled,
                               job->status.total_bytes, elapsed);
    m->read_bytes = handled;
    m->verify_failures = progress_get(&p->verify_failures) +
                         atomic_load(&job->state.mismatches);
    m->progress = p;
}

static void describe(struct cw_job *job, struct metrics *m)
{
    *m = (struct metrics){
        .is_source = job->is_source,
        .is_ready = job->status.is_ready,
        .phase = job->status.phase,
        .lanes = job->resources.lanes,
        .io_engine = io_queue_engine_name(job->resources.engine),
        .disk_bytes = job->status.disk_bytes ? job->status.disk_bytes
                                             : METRICS_UNKNOWN,
        .mapped_bytes = job->status.start_ns ? job->status.total_bytes
                                             : METRICS_UNKNOWN,
    };
    snprintf(m->job_id, sizeof(m->job_id), "%s", job->status.id);
    snprintf(m->tls, sizeof(m->tls), "%s", job->status.cipher);
    snprintf(m->image_format, sizeof(m->image_format), "%s",
             job->status.format);
    take_progress(job, m);
}

static void update(struct cw_job *job)
{
    const struct progress *p = &job->status.progress;
    struct health *health = job->health;
    struct metrics metrics;
    uint64_t moved;

    if (!health)
        return;
    describe(job, &metrics);
    moved = metrics.read_bytes + progress_get(&p->data_bytes) +
            progress_get(&p->zeroed_bytes) + progress_get(&p->zero_bytes);
    if (moved != health->moved_bytes) {
        health->moved_bytes = moved;
        health->moved_ns = clock_unix_ns();
    }
    metrics.last_progress_ns = health->moved_ns;
    pthread_mutex_lock(&health->lock);
    health->metrics = metrics;
    pthread_mutex_unlock(&health->lock);
}

/* CDI's cloner uses a self-signed certificate. */
static int open_server(struct health *health, const struct addr *addr,
                       const struct tls *tls, struct error *err)
{
    bool is_cdi = health->cdi_owner_uid != NULL;

    health->service = (struct http_service){
        .routes = is_cdi ? cdi_routes : routes,
        .opaque = health,
        .is_open = true,
    };
    return http_server_open(addr, is_cdi ? NULL : tls, &health->service,
                            &health->server, err);
}

static int open_health(struct cw_job *job, struct error *err)
{
    struct health *health;
    struct addr addr;

    if (!job->events.metrics_listen)
        return 0;
    health = calloc(1, sizeof(*health));
    if (!health)
        return error_set(err, ERROR_SYSTEM, ENOMEM, "serve metrics");
    job->health = health; /* close_health() accepts a partly built one */
    pthread_mutex_init(&health->lock, NULL);
    health->moved_ns = METRICS_UNKNOWN;
    update(job);
    health->cdi_owner_uid = job->events.cdi_owner_uid;
    if (addr_parse(job->events.metrics_listen, &addr, err) < 0)
        return error_wrap(err, "serve metrics");
    if (open_server(health, &addr, job->credentials.tls, err) < 0) {
        error_wrap(err, "serve metrics");
        if (!health->cdi_owner_uid)
            return -1;
        log_warn("%s; continuing without metrics", err->text);
        return 0;
    }
    log_info("health and metrics at https://%s",
             http_server_address(health->server));
    return 0;
}

static void close_health(struct cw_job *job)
{
    struct health *health = job->health;

    if (!health)
        return;
    http_server_close(health->server);
    pthread_mutex_destroy(&health->lock);
    free(health);
}

const struct job_observer health_observer = {
    .open = open_health,
    .update = update,
    .close = close_health,
};
