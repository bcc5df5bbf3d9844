#include "resume/chunk_merge.h"

#define LEAF_GRAINS (DIGEST_LEAF_BYTES / GRID_GRAIN_BYTES)

void patch_start(struct patch *patch)
{
    patch->same = (struct grains){ 0 };
    patch->is_foretold = false;
    patch->read_count = 0;
}

void patch_keep(struct patch *patch, size_t begin, size_t end)
{
    grains_add(&patch->same, begin / GRID_GRAIN_BYTES, grains_count(end));
}

/* The end of the leaf that begins at grain first, in a chunk of count. */
static size_t leaf_end(size_t first, size_t count)
{
    return count - first < LEAF_GRAINS ? count : first + LEAF_GRAINS;
}

unsigned patch_leaves(const struct patch *patch, size_t len)
{
    size_t count = grains_count(len);
    unsigned leaves = 0;

    for (size_t first = 0; first < count; first += LEAF_GRAINS)
        if (grains_has_all(&patch->same, first, leaf_end(first, count)))
            leaves |= 1U << first / LEAF_GRAINS;
    return leaves;
}

/* Adds grains [first, end), as one read with what they follow. */
static void add_read(struct patch *patch, size_t first, size_t end,
                     const struct io *like)
{
    struct io *last = patch->read_count ? &patch->reads[patch->read_count - 1]
                                        : NULL;
    size_t at = first * GRID_GRAIN_BYTES, to = end * GRID_GRAIN_BYTES;

    if (to > like->len)
        to = like->len;
    if (last && last->buf + last->len == like->buf + at) {
        last->len += to - at;
        return;
    }
    patch->reads[patch->read_count] = *like;
    last = &patch->reads[patch->read_count++];
    last->buf += at;
    last->offset += at;
    last->len = to - at;
}

unsigned patch_plan_reads(struct patch *patch, uint8_t *buf, uint64_t base,
                          size_t len, void *owner)
{
    const struct io like = {
        .op = IO_READ, .buf = buf, .len = len, .offset = base, .owner = owner
    };
    size_t count = grains_count(len);

    for (size_t leaf = 0; leaf < count; leaf += LEAF_GRAINS) {
        size_t stop = leaf_end(leaf, count), end;

        if (grains_has_all(&patch->same, leaf, stop))
            continue;
        for (size_t first = leaf; first < stop; first = end) {
            end = grains_run_end(&patch->same, first, stop);
            if (grains_has(&patch->same, first))
                add_read(patch, first, end, &like);
        }
    }
    return patch->read_count;
}
