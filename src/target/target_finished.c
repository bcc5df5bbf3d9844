#include "target/target_finished.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "plan/chunk_grid.h"
#include "transfer/disk_options.h"
#include "transfer/disk_scan.h"
#include "transfer/readback.h"

/* A controller restarts what was killed within minutes; a target that may
 * replace its disk, and starts later, is meant for the next clone. */
#define RESTART_NS (UINT64_C(3600) * CLOCK_SECOND_NS)
/* Without --retry-for: as long as a source calls by default. */
#define CALL_NS (30 * CLOCK_SECOND_NS)

/* ---- may it be replaced? ---- */

/* By any source. */
static bool is_replaceable(const struct target *t)
{
    if (sink_is_device(t->sink))
        return !t->options.only_resume;
    return t->options.overwrite || t->options.delta;
}

int target_reopen_disk(struct target *t, struct error *err)
{
    struct sink_options options;

    target_forget_disk(t);
    t->plan.is_finished = t->plan.is_replaceable = false;
    atomic_store(&t->plan.is_replaced, false);
    if (sink_is_device(t->sink))
        return 0;
    /* It was open to be read. */
    checkpointer_close(&t->checkpointer);
    memset(&t->checkpointer, 0, sizeof(t->checkpointer));
    sink_close(t->sink);
    t->plan.sink = t->sink = NULL;
    disk_options_sink(&t->options, &options);
    if (sink_open(&options, &t->sink, err) < 0)
        return -1;
    t->plan.sink = t->sink;
    checkpointer_open(&t->checkpointer, &t->job, t->sink, t->options.state_dir,
                      t->options.checkpoint_ns);
    return 0;
}

static int drop(struct target *t, struct error *err)
{
    target_finished_interrupt(t);
    t->is_left = t->is_confirmed = false;
    t->reserved_ns = 0;
    return target_reopen_disk(t, err);
}

int target_finished_make_way(struct target *t, const struct visitor *visitor,
                             struct error *err)
{
    bool is_other = visitor && (visitor->upload ||
                                !target_is_same_job(t, &visitor->first.hello,
                                                    visitor->name));

    if (!t->is_left || (!atomic_load(&t->plan.is_replaced) &&
                        !(is_other && is_replaceable(t))))
        return 0;
    log_info("%s was finished by an earlier run, and is made again",
             t->options.destination);
    return drop(t, err);
}

/* ---- taking it over ---- */

static bool is_long_ago(const struct checkpoint_head *head)
{
    uint64_t now_ns = clock_unix_ns();

    return now_ns > head->finished_unix_ns &&
           now_ns - head->finished_unix_ns > RESTART_NS;
}

/* The record is what we wrote, unless another has. */
static int check_head(const struct target *t,
                      const struct checkpoint_head *head, struct error *err)
{
    if (digest_is_known(head->digest) && head->chunk_bytes == CHUNK_BYTES &&
        head->virtual_bytes <= head->disk_bytes &&
        head->disk_bytes <= INT64_MAX)
        return 0;
    return error_set(err, ERROR_REFUSED, 0,
                     "%s exists, and its record makes no sense",
                     t->options.destination);
}

static int load_finished(struct target *t, const struct checkpoint_head *head,
                         struct error *err)
{
    t->disk_of = (struct message_hello){
        .version = MESSAGE_VERSION,
        .chunk_bytes = head->chunk_bytes,
        .digest = head->digest,
        .virtual_bytes = head->virtual_bytes,
    };
    memcpy(t->disk_of.job, head->job, sizeof(t->disk_of.job));
    if (check_head(t, head, err) < 0 ||
        target_open_tables(t, &t->disk_of, err) < 0 ||
        sink_resume(t->sink, head->virtual_bytes, head->disk_bytes, err) < 0)
        return -1;
    memcpy(t->disk_of_name, head->peer, sizeof(t->disk_of_name));
    memcpy(t->on_disk_of, head->source, sizeof(t->on_disk_of));
    memcpy(t->root, head->root, sizeof(t->root));
    t->checkpointer.head = *head;
    t->plan.virtual_bytes = head->virtual_bytes;
    t->plan.is_finished = true;
    t->plan.is_replaceable = sink_is_device(t->sink) || is_replaceable(t);
    t->has_disk = true;
    job_begin(&t->job);
    memcpy(t->job.status.id, head->job, sizeof(t->job.status.id));
    t->job.status.disk_bytes = head->disk_bytes;
    return 0;
}

int target_finished_open(struct target *t, const struct checkpoint_head *head,
                         struct error *err)
{
    t->is_left = true;
    if (is_replaceable(t) && is_long_ago(head))
        return drop(t, err);
    if (load_finished(t, head, err) == 0) {
        log_info("%s was finished by an earlier run: waiting for its source, "
                 "which may not know",
                 t->options.destination);
        return 0;
    }
    if (err->kind != ERROR_REFUSED || !is_replaceable(t))
        return -1;
    log_warn("%s; it is made again", err->text);
    return drop(t, err);
}

/* ---- reading it ---- */

static int refuse_content(struct target *t, struct error *err)
{
    atomic_store(&t->plan.is_replaced, t->plan.is_replaceable);
    if (t->plan.is_replaceable)
        return error_set(err, ERROR_TEMPORARY, 0,
                         "%s is not what an earlier run finished: it is made "
                         "again",
                         t->options.destination);
    return error_set(err, ERROR_REFUSED, 0,
                     "%s exists, and is not what an earlier run finished; "
                     "--overwrite would replace it",
                     t->options.destination);
}

static int read_disk(struct target *t, const atomic_bool *stop,
                     struct error *err)
{
    struct disk_scan scan = {
        .engine = t->job.resources.queue_engine,
        .image = readback_image(&t->job, t->sink),
        .virtual_bytes = t->plan.virtual_bytes,
        .stop = stop,
        .done_bytes = &t->job.status.progress.surveyed_bytes,
    };
    uint8_t root[DIGEST_ROOT_BYTES];

    atomic_store(&t->job.status.progress.surveyed_bytes, 0);
    if (sink_confirm(t->sink, err) < 0)
        return -1;
    if (disk_scan_run(&scan, t->job.status.digest, err) < 0)
        return readback_failed(err, "read what an earlier run finished");
    digest_root(t->job.status.digest, root);
    if (memcmp(root, t->root, sizeof(root)) != 0)
        return refuse_content(t, err);
    chunk_bitmap_add(&t->plan.on_disk, 0, t->plan.on_disk.chunks);
    return 0;
}

static int read_beside(void *arg, struct error *err)
{
    struct target *t = arg;

    return read_disk(t, &t->confirm_stop, err);
}

int target_finished_wait(struct target *t, struct error *err)
{
    uint64_t retry_ns = t->job.tuning.retry_ns;

    if (!t->is_left)
        return 0;
    if (t->reserved_ns == 0)
        t->reserved_ns = clock_now_ns() +
                         (retry_ns == CW_RETRY_OFF ? CALL_NS : retry_ns);
    if (t->is_confirmed || t->confirm.running)
        return 0;
    atomic_store(&t->confirm_stop, false);
    return task_start(&t->confirm, &t->job, read_beside, t, err);
}

void target_finished_interrupt(struct target *t)
{
    struct error ignored;

    if (!t->confirm.running)
        return;
    atomic_store(&t->confirm_stop, true);
    t->is_confirmed = task_join(&t->confirm, &ignored) == 0;
}

bool target_finished_is_read(const struct target *t)
{
    return !t->confirm.running || task_is_done(&t->confirm);
}

int target_finished_end(struct target *t, struct error *err)
{
    if (task_join(&t->confirm, err) < 0)
        return -1;
    t->is_confirmed = t->is_told = true;
    log_info("no source has called: %s is whole, and was read again",
             t->options.destination);
    return 0;
}

int target_finished_confirm(struct target *t, struct error *err)
{
    if (!t->is_left || t->is_confirmed)
        return 0;
    if (read_disk(t, &t->job.state.stop, err) < 0)
        return -1;
    t->is_confirmed = true;
    return 0;
}
