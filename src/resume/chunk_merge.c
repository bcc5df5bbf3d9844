#include "resume/chunk_merge.h"

void chunk_merge_start(struct chunk_merge *merge)
{
    merge->same = (struct block_set){ 0 };
    merge->is_foretold = false;
    merge->read_count = 0;
}

void chunk_merge_keep(struct chunk_merge *merge, size_t begin, size_t end)
{
    block_set_add(&merge->same, begin / BLOCK_BYTES, block_set_count(end));
}

/* The end of the leaf that begins at block first, in a chunk of count blocks. */
static size_t leaf_end(size_t first, size_t count)
{
    return count - first < LEAF_BLOCKS ? count : first + LEAF_BLOCKS;
}

unsigned chunk_merge_leaves(const struct chunk_merge *merge, size_t len)
{
    size_t count = block_set_count(len);
    unsigned leaves = 0;

    for (size_t first = 0; first < count; first += LEAF_BLOCKS)
        if (block_set_has_all(&merge->same, first, leaf_end(first, count)))
            leaves |= 1U << first / LEAF_BLOCKS;
    return leaves;
}

/* Adds blocks [first, end) to the reads, joined with the read before them. */
static void add_read(struct chunk_merge *merge, size_t first, size_t end,
                     const struct io *like)
{
    struct io *last = merge->read_count ? &merge->reads[merge->read_count - 1]
                                        : NULL;
    size_t at = first * BLOCK_BYTES, to = end * BLOCK_BYTES;

    if (to > like->len)
        to = like->len;
    if (last && last->buf + last->len == like->buf + at) {
        last->len += to - at;
        return;
    }
    merge->reads[merge->read_count] = *like;
    last = &merge->reads[merge->read_count++];
    last->buf += at;
    last->offset += at;
    last->len = to - at;
}

unsigned chunk_merge_plan_reads(struct chunk_merge *merge, uint8_t *buf,
                                uint64_t base, size_t len, void *owner)
{
    const struct io like = {
        .op = IO_READ, .buf = buf, .len = len, .offset = base, .owner = owner
    };
    size_t count = block_set_count(len);

    for (size_t leaf = 0; leaf < count; leaf += LEAF_BLOCKS) {
        size_t stop = leaf_end(leaf, count), end;

        if (block_set_has_all(&merge->same, leaf, stop))
            continue;
        for (size_t first = leaf; first < stop; first = end) {
            end = block_set_run_end(&merge->same, first, stop);
            if (block_set_has(&merge->same, first))
                add_read(merge, first, end, &like);
        }
    }
    return merge->read_count;
}
