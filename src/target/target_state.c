#include "target/target.h"

#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "plan/chunk_grid.h"
#include "plan/gpt.h"

bool target_is_same_job(const struct target *t,
                        const struct message_hello *hello, const char *name)
{
    /* A pairing code of an earlier process had another name; who has ours was
     * given it for this disk. */
    bool is_peer = (t->is_paired && t->is_left) ||
                   strcmp(name, t->disk_of_name) == 0;

    return t->has_disk && is_peer && strcmp(hello->job, t->disk_of.job) == 0 &&
           hello->virtual_bytes == t->disk_of.virtual_bytes &&
           hello->digest == t->disk_of.digest;
}

bool target_is_next_pass(const struct target *t,
                         const struct message_hello *hello, const char *name)
{
    return t->awaits_pass && hello->pass > 0 && !hello->has_finished &&
           strcmp(hello->job, t->disk_of.job) == 0 &&
           strcmp(name, t->disk_of_name) == 0;
}

void target_forget_disk(struct target *t)
{
    t->has_disk = false;
    chunk_bitmap_fini(&t->plan.came);
    chunk_bitmap_fini(&t->plan.on_disk);
    leaf_cache_close(&t->plan.leaves);
    chunk_bitmap_fini(&t->plan.hint);
    chunk_bitmap_fini(&t->plan.unverified);
    digest_close(TAKE_PTR(t->job.status.digest));
}

int target_open_tables(struct target *t, const struct message_hello *hello,
                       struct error *err)
{
    uint64_t chunks = chunk_grid_count(hello->virtual_bytes);

    target_forget_disk(t);
    memset(t->on_disk_of, 0, sizeof(t->on_disk_of));
    if (chunk_bitmap_init(&t->plan.came, chunks, err) < 0 ||
        chunk_bitmap_init(&t->plan.on_disk, chunks, err) < 0 ||
        chunk_bitmap_init(&t->plan.hint, chunks, err) < 0 ||
        chunk_bitmap_init(&t->plan.unverified, chunks, err) < 0)
        return -1;
    return digest_open((enum digest_algorithm)hello->digest,
                       hello->virtual_bytes, &t->job.status.digest, err);
}

int target_refuse_change(struct target_plan *plan, uint64_t offset,
                         struct error *err)
{
    bool is_replaced = plan->is_replaceable;

    atomic_store(&plan->is_replaced, is_replaced);
    return error_set_at(
        err, is_replaced ? ERROR_TEMPORARY : ERROR_REFUSED, 0, offset,
        "%s is complete, and the source has changed since, at %" PRIu64 "; %s",
        plan->path, offset,
        is_replaced ? "it is made again" : "--overwrite would replace it");
}

void target_check_sectors(const struct target_plan *plan, const uint8_t *data,
                          size_t len)
{
    uint32_t made_for = gpt_misfit(data, len, plan->sector_bytes);

    if (made_for != 0)
        log_warn("the guest's partition table (GPT) was made for sectors of %u "
                 "bytes, %s has sectors of %u: the guest may not find its "
                 "partitions",
                 made_for, plan->path, plan->sector_bytes);
}
