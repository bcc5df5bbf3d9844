#include "target/frame_rules.h"

#include <inttypes.h>

#include "plan/chunk_grid.h"

int frame_rules_refuse(const struct frame *f, const char *why,
                       struct error *err)
{
    return error_set_at(err, ERROR_PROTOCOL, 0, f->offset,
                        "frame of %" PRIu64 " bytes at %" PRIu64 ": %s",
                        f->length, f->offset, why);
}

int frame_rules_arrive(struct target_plan *plan, const struct frame *f,
                       uint64_t count, struct error *err)
{
    uint64_t first = f->offset / CHUNK_BYTES;

    if (plan->is_surveyed &&
        !chunk_bitmap_has_all(&plan->announced, first, count))
        return frame_rules_refuse(f, "chunk came before it was announced", err);
    if (!chunk_bitmap_add(&plan->came, first, count))
        return frame_rules_refuse(f, "chunk came twice", err);
    return 0;
}

int frame_rules_claim(struct target_plan *plan, const struct frame *f,
                      uint64_t count, struct error *err)
{
    uint64_t first = f->offset / CHUNK_BYTES;

    if (plan->is_finished)
        return target_refuse_change(plan, f->offset, err);
    if (frame_rules_arrive(plan, f, count, err) < 0)
        return -1;
    if (!plan->is_again)
        return 0;
    if (checkpointer_strike(plan->checkpointer, first, count, err) < 0)
        return -1;
    chunk_bitmap_remove(&plan->on_disk, first, count);
    chunk_bitmap_remove(&plan->hint, first, count);
    chunk_bitmap_remove(&plan->unverified, first, count);
    return 0;
}

void frame_rules_forget(struct target_plan *plan, uint64_t first,
                        uint64_t count)
{
    if (!plan->is_again)
        return;
    for (uint64_t i = first; i < first + count; i++)
        digest_add_zero(plan->job->status.digest, i);
}
