/*
 * http_source.c - a source that sends a disk, or all files of a volume, by HTTP
 * to any server, as KubeVirt CDI's cloner does.
 *
 * The stream cannot resume: a lost attempt starts from the beginning, and the
 * target's response is the only proof.
 */
#include "cdi/http_source.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/log.h"
#include "control/connect.h"
#include "job/public_types.h"
#include "job/watchdog.h"
#include "plan/chunk_grid.h"
#include "tar/writer.h"
#include "transfer/disk_options.h"

#define HANDSHAKE_MS 10000U
#define PAUSE_MS     1000U
/* Maximum size of a handshake and the head of the request. */
#define BEGUN_BYTES 16384U

/* ---- the content to send ---- */

/* Finds the single raw disk in a directory: it can be sent better than as a
 * stream of files. */
static int look_for_disk(struct http_source *v, struct error *err)
{
    char path[4096];
    struct image_options options = { .path = path,
                                     .allow_in_use = true,
                                     .no_link = true };
    struct image *image;
    struct error why;
    struct stat st;
    int r = tar_writer_is_only(v->options.path, CW_VOLUME_DISK_NAME, err);

    if (r <= 0)
        return r;
    snprintf(path, sizeof(path), "%s/%s", v->options.path, CW_VOLUME_DISK_NAME);
    /* A disk would be padded, but a file of a volume must not change. */
    if (stat(path, &st) < 0 || chunk_grid_padding((uint64_t)st.st_size) > 0) {
        log_info("%s ends inside a sector: it travels as the file that it is",
                 path);
        return 0;
    }
    if (image_open(&options, &image, &why) < 0)
        return 0;
    r = image->format == CW_FORMAT_RAW &&
        image->compression == IMAGE_COMPRESSION_NONE;
    if (!r)
        log_info("%s is %s: it travels as the file that it is", path,
                 image->format_text);
    image_close(image);
    return r;
}

/* 1: the content is a single raw disk. */
static int open_tree(struct http_source *v, struct error *err)
{
    uint64_t bytes = v->options.total_bytes;

    if (bytes == 0 && tar_writer_estimate(v->options.path, !v->options.dense,
                                          &bytes, err) < 0)
        return -1;
    v->job.status.total_bytes = bytes;
    snprintf(v->job.status.format, sizeof(v->job.status.format), "files");
    return look_for_disk(v, err);
}

static int open_disk(struct http_source *v, struct error *err)
{
    if (v->options.disk)
        disk_options_image(v->options.disk, &v->image_options);
    else
        v->image_options = (struct image_options){
            .path = v->options.path,
            .mode = v->options.tuning.io_mode,
            .holes = v->options.tuning.holes,
            .format = CW_FORMAT_RAW,
            .allow_in_use = v->options.allow_in_use,
        };
    if (image_open(&v->image_options, &v->image, err) < 0)
        return -1;
    v->job.status.disk_bytes = v->job.status.total_bytes =
        v->image->virtual_bytes;
    v->job.status.padding_bytes = v->image->padding_bytes;
    snprintf(v->job.status.format, sizeof(v->job.status.format), "%s",
             v->image->format_text);
    return 1;
}

/* ---- the connection ---- */

static bool may_pass(const struct cw_job *job, const struct error *err)
{
    if (progress_get(&job->status.progress.reconnects) > 0)
        return retry_is_passing(err);
    return err->kind == ERROR_TEMPORARY;
}

static void note_peer(struct http_source *v)
{
    struct conn_info info;

    conn_get_info(v->conn, &info);
    snprintf(v->job.status.cipher, sizeof(v->job.status.cipher), "%s %s",
             info.tls_version, info.cipher);
    snprintf(v->peer, sizeof(v->peer), "%s (%s)", info.peer, info.peer_name);
    log_info("connected to %s, %s, by %s", v->peer, v->job.status.cipher,
             conn_is_http(v->conn) ? TLS_ALPN_HTTP : TLS_ALPN);
}

/*
 * Redials a server that is limited to TLS 1.2, as a FIPS build may be, with
 * TLS 1.2 and HTTP.  TLS 1.2 is not offered at first: our own target would
 * accept it too, and with a slower cipher (gcm_provider.h).
 */
static bool takes_older(struct http_source *v, const struct error *err)
{
    struct cw_security *security = &v->job.credentials.security;

    if (!v->options.security.allow_tls12 || security->allow_tls12 ||
        !tls_met_older(v->job.credentials.tls))
        return false;
    log_info("%s; trying TLS 1.2", err->text);
    security->allow_tls12 = true;
    security->http_only = true;
    job_read_security(&v->job);
    return true;
}

/*
 * A server that rejects TLS 1.3 by an alert in plain text and then speaks it did
 * not send that alert: clonewire/1 is not given up for a forger on the way.
 * (OpenSSL refuses TLS 1.2 of a server that has 1.3.)
 */
static int check_older(const struct http_source *v, struct error *err)
{
    struct conn_info info;

    conn_get_info(v->conn, &info);
    if (strcmp(info.tls_version, "TLSv1.3") != 0)
        return 0;
    return error_set(err, ERROR_TLS, 0,
                     "the target has TLS 1.3, but something on the way forged "
                     "an alert that denies it: not continuing by HTTP");
}

static int connect_target(struct http_source *v, uint64_t deadline_ns,
                          struct error *err)
{
    const struct conn_options options = {
        .role = CONN_DATA,
        .handshake_timeout_ms = HANDSHAKE_MS,
        .congestion = v->options.tuning.congestion,
        .bind_address = v->options.tuning.bind_address,
        .bind_device = v->options.tuning.bind_device,
        .segment_bytes = v->segment_bytes,
        .stop_fd = v->job.state.wake_fd,
    };
    const struct connect_patience patience = { deadline_ns, may_pass };
    const struct addr *addr = &v->url.addr;
    int r = connect_until(&v->job, addr, &options, &patience, &v->conn, err);

    if (r < 0 && takes_older(v, err)) {
        r = connect_until(&v->job, addr, &options, &patience, &v->conn, err);
        if (r == 0 && check_older(v, err) < 0)
            return -1;
    }
    if (r < 0)
        return -1;
    note_peer(v);
    job_found_peer(&v->job);
    conn_count_wire(v->conn, &v->job.status.progress.wire_bytes);
    return conn_check_peer(v->conn, err);
}

/* ---- the response ---- */

static int explain_refusal(const struct http_source *v, struct error *err)
{
    char own[400];

    return error_set(err, ERROR_TLS, 0,
                     "the target does not know us (status code 401): our "
                     "certificate is %s; the target wants the client name "
                     "and the CA that its own controller gave it",
                     tls_own_name(v->job.credentials.tls, own, sizeof(own)));
}

/* Converts a status other than success to an error. */
static int explain_status(const struct http_source *v, struct error *err)
{
    static const struct {
        unsigned status;
        enum error_kind kind;
        const char *text;
    } known[] = {
        { 404, ERROR_REFUSED, "the target has no such path" },
        { 409, ERROR_REFUSED, "the target has its disk already" },
        { 503, ERROR_BUSY,
          "the target is busy with another upload, or still ending the last" },
    };
    const struct upload_client *client = &v->client;
    enum error_kind kind = client->status == 400 ? ERROR_NO_SPACE : ERROR_PEER;
    const char *text = client->reason;

    if (client->status == 401)
        return explain_refusal(v, err);
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (known[i].status == client->status) {
            kind = known[i].kind;
            text = known[i].text;
        }
    return error_set(err, kind, 0, "Unexpected status code %u%s%s",
                     client->status, text[0] ? ": " : "", text);
}

/* After the lane has ended, with *err if it failed.  0: the target has it. */
static int evaluate_answer(struct http_source *v, int r, struct error *err)
{
    const struct upload_client *client = &v->client;
    bool is_ours = r == 0 || err->kind == ERROR_PEER ||
                   err->kind == ERROR_TEMPORARY;

    if (!client->is_answered || !is_ours)
        return r;
    /* A target that takes the disk from a stream of files may need only half. */
    if (client->status / 100 == 2 && (client->has_ended || v->options.is_tree))
        return 0;
    /* The success response to an earlier attempt was lost. */
    if (client->status == 409 && v->was_sent) {
        log_info("the target has taken an earlier attempt");
        return 0;
    }
    return explain_status(v, err);
}

/* ---- an attempt ---- */

/* Bytes that the target's kernel has acknowledged count as done and as
 * progress. */
static void watch_connection(struct http_source *v)
{
    struct cw_job *job = &v->job;
    struct tcp_state state;
    struct error err;

    conn_get_tcp(v->conn, &state);
    job->status.wire_bytes = state.acked_bytes;
    job->status.unacked_bytes = state.unacked_bytes;
    /* Only the handshake shows that small segments pass. */
    if (!tcp_path_is_black_hole(&v->path, &state,
                                state.acked_bytes < BEGUN_BYTES,
                                clock_now_ns()) ||
        job_state_stopping(&job->state))
        return;
    error_set(&err, ERROR_TEMPORARY, 0, TCP_BLACK_HOLE_TEXT,
              state.segment_bytes);
    v->segment_bytes = tcp_path_next_segment(&state);
    job_state_fail(&job->state, &err);
}

/*
 * The target has everything and must respond.  Bytes of an endless response do
 * not count as progress.
 */
static void await_answer(struct http_source *v)
{
    struct cw_job *job = &v->job;
    uint64_t now_ns = clock_now_ns();
    struct error err;

    job_enter(job, CW_PHASE_FLUSHING);
    if (v->sent_all_ns == 0)
        v->sent_all_ns = now_ns;
    if (now_ns - v->sent_all_ns < job->tuning.stall_ns ||
        job_state_stopping(&job->state))
        return;
    error_set(&err, ERROR_TEMPORARY, 0,
              "the target has got all, and has not answered for %llu s",
              (unsigned long long)(job->tuning.stall_ns / CLOCK_SECOND_NS));
    job_state_fail(&job->state, &err);
}

static void tick(struct http_source *v)
{
    struct cw_job *job = &v->job;

    job_state_must_end(&job->state);
    watch_connection(v);
    if (atomic_load(&v->is_sent) && job->status.unacked_bytes == 0)
        await_answer(v);
    else
        watchdog_check(job);
    if (job_state_stopping(&job->state))
        conn_shutdown(v->conn);
    job_report(job);
    job_attend(job);
    job_state_wait(&job->state, -1, JOB_TICK_MS);
}

static void disconnect(struct http_source *v)
{
    struct progress *progress = &v->job.status.progress;

    if (!v->conn)
        return;
    progress_add(&progress->wait_net_ns, conn_waited_ns(v->conn));
    conn_close(v->conn);
    v->conn = NULL;
    upload_client_close(&v->client);
    v->client = (struct upload_client){ 0 };
}

static int send_volume(struct http_source *v, struct error *err)
{
    struct cw_job *job = &v->job;
    int r;

    atomic_store(&v->is_sent, false);
    v->sent_all_ns = 0;
    v->path = (struct tcp_path){ 0 };
    job_enter(job, CW_PHASE_COPYING);
    watchdog_start(job);
    if (worker_start(&v->lane, job, &v->running, 0, http_source_send, err) < 0)
        return -1;
    while (atomic_load(&v->running) > 0)
        tick(v);
    worker_join(&v->lane);
    r = evaluate_answer(v, job_state_first_error(&job->state, err) ? -1 : 0,
                        err);
    v->was_sent = v->was_sent || atomic_load(&v->is_sent);
    return r;
}

/* 0; 1: the target speaks clonewire/1; -1. */
static int attempt(struct http_source *v, uint64_t deadline_ns,
                   struct error *err)
{
    int r = connect_target(v, deadline_ns, err);

    if (r == 0)
        r = conn_is_http(v->conn) ? send_volume(v, err) : 1;
    disconnect(v);
    return r;
}

static bool tries_again(struct http_source *v, const struct error *err)
{
    if (atomic_load(&v->job.state.cancelled) || !retry_is_passing(err) ||
        (err->kind == ERROR_TLS &&
         progress_get(&v->job.status.progress.reconnects) == 0) ||
        v->peer[0] == '\0' || /* no target ever answered */
        !retry_again(&v->retry, atomic_load(&v->max), clock_now_ns()))
        return false;
    log_warn("%s; starting again from the beginning", err->text);
    job_lost_peer(&v->job, v->retry.deadline_ns);
    return connect_pause_ms(&v->job, retry_jitter_ms(PAUSE_MS));
}

static void summarize(struct http_source *v, struct cw_summary *summary)
{
    job_summarize(&v->job, summary);
    summary->data_bytes = v->encoder.data_bytes;
    summary->zero_bytes = v->encoder.zero_bytes;
    summary->reads_holes = v->image && v->image->reads_holes;
    snprintf(summary->image_format, sizeof(summary->image_format), "%s",
             v->job.status.format);
    snprintf(summary->tls, sizeof(summary->tls), "%s", v->job.status.cipher);
    snprintf(summary->peer, sizeof(summary->peer), "%.127s", v->peer);
}

static int http_source_run(struct cw_job *job, struct cw_summary *summary,
                           struct error *err)
{
    struct http_source *v = (struct http_source *)job;
    uint64_t deadline_ns = clock_now_ns() + v->options.connect_timeout_ns;
    int r;

    job_begin(job);
    job->resources.lanes = 1;
    job_set_ready(job);
    job_enter(job, CW_PHASE_PLANNING);
    while ((r = attempt(v, deadline_ns, err)) < 0) {
        if (!tries_again(v, err))
            return error_wrap(err, "clone %s to %s", v->options.path,
                              v->options.url);
        deadline_ns = v->retry.deadline_ns;
    }
    if (r == 0) {
        job_enter(job, CW_PHASE_DONE);
        summarize(v, summary);
    }
    return r;
}

static void http_source_free(struct cw_job *job)
{
    struct http_source *v = (struct http_source *)job;

    worker_join(&v->lane);
    disconnect(v);
    image_close(v->image);
    job_fini(job);
    free(v);
}

/* Asks whether the target speaks clonewire/1 only for a single raw disk. */
static int build(struct http_source *v, const struct cw_volume_options *options,
                 struct error *err)
{
    struct cw_security security = options->security;
    int r;

    v->job.run = http_source_run;
    v->job.free = http_source_free;
    v->options = *options;
    v->job.status.disk_path = options->path;
    security.http = true;
    security.allow_tls12 = false; /* see takes_older() */
    if (job_init(&v->job, true, &security, &options->tuning, &options->events,
                 err) < 0 ||
        upload_client_parse_url(options->url, &v->url, err) < 0)
        return -1;
    v->retry.budget_ns = v->job.tuning.retry_ns;
    r = options->is_tree ? open_tree(v, err) : open_disk(v, err);
    if (r == 0) {
        v->job.credentials.security.http_only = true;
        job_read_security(&v->job);
    }
    return r < 0 ? -1 : 0;
}

struct cw_job *http_source_open(const struct cw_volume_options *options,
                                const struct job_observer *observer,
                                struct error *err)
{
    struct http_source *v = calloc(1, sizeof(*v));

    if (!v) {
        error_set(err, ERROR_SYSTEM, ENOMEM, "start the source");
        return NULL;
    }
    v->job.observer = observer;
    if (build(v, options, err) == 0)
        return &v->job;
    http_source_free(&v->job);
    return NULL;
}
