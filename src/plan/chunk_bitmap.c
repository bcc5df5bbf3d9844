#include "plan/chunk_bitmap.h"

#include <errno.h>
#include <stdlib.h>

#define WORD_BITS UINT64_C(64)

static uint64_t word_count(uint64_t chunks)
{
    return chunks / WORD_BITS + 1;
}

int chunk_bitmap_init(struct chunk_bitmap *set, uint64_t chunks,
                      struct error *err)
{
    set->words = calloc(word_count(chunks), sizeof(*set->words));
    if (!set->words)
        return error_set(err, ERROR_SYSTEM, ENOMEM, "keep a set of %llu chunks",
                         (unsigned long long)chunks);
    set->chunks = chunks;
    atomic_init(&set->count, 0);
    return 0;
}

/* The mask of bits [from, to) of one word. */
static uint64_t mask_of(uint64_t from, uint64_t to)
{
    uint64_t below_to = to == WORD_BITS ? UINT64_MAX : (UINT64_C(1) << to) - 1;

    return below_to & ~((UINT64_C(1) << from) - 1);
}

/* The end of the part of [at, end) in at's word; *mask: its bits. */
static uint64_t part_end(uint64_t at, uint64_t end, uint64_t *mask)
{
    uint64_t base = at / WORD_BITS * WORD_BITS;
    uint64_t stop = base + WORD_BITS < end ? base + WORD_BITS : end;

    *mask = mask_of(at - base, stop - base);
    return stop;
}

static unsigned bits(uint64_t word)
{
    return (unsigned)__builtin_popcountll(word);
}

bool chunk_bitmap_add(struct chunk_bitmap *set, uint64_t first, uint64_t count)
{
    uint64_t mask, stop, had = 0;

    for (uint64_t at = first; at < first + count; at = stop) {
        uint64_t old;

        stop = part_end(at, first + count, &mask);
        old = atomic_fetch_or(&set->words[at / WORD_BITS], mask);
        had += bits(old & mask);
    }
    atomic_fetch_add(&set->count, count - had);
    return had == 0;
}

void chunk_bitmap_remove(struct chunk_bitmap *set, uint64_t first,
                         uint64_t count)
{
    uint64_t mask, stop, had = 0;

    for (uint64_t at = first; at < first + count; at = stop) {
        uint64_t old;

        stop = part_end(at, first + count, &mask);
        old = atomic_fetch_and(&set->words[at / WORD_BITS], ~mask);
        had += bits(old & mask);
    }
    atomic_fetch_sub(&set->count, had);
}

bool chunk_bitmap_has(const struct chunk_bitmap *set, uint64_t chunk)
{
    return chunk_bitmap_has_all(set, chunk, 1);
}

bool chunk_bitmap_has_all(const struct chunk_bitmap *set, uint64_t first,
                          uint64_t count)
{
    uint64_t mask, stop;

    for (uint64_t at = first; at < first + count; at = stop) {
        stop = part_end(at, first + count, &mask);
        if ((atomic_load(&set->words[at / WORD_BITS]) & mask) != mask)
            return false;
    }
    return true;
}

uint64_t chunk_bitmap_count(const struct chunk_bitmap *set)
{
    return atomic_load(&set->count);
}

/* Finds the first chunk from at on that is (or is not) in the set. */
static uint64_t find(const struct chunk_bitmap *set, uint64_t at, bool in)
{
    while (at < set->chunks) {
        uint64_t base = at / WORD_BITS * WORD_BITS;
        uint64_t word = atomic_load(&set->words[at / WORD_BITS]);

        word = (in ? word : ~word) & mask_of(at - base, WORD_BITS);
        if (word != 0) {
            at = base + (uint64_t)__builtin_ctzll(word);
            break;
        }
        at = base + WORD_BITS;
    }
    return at < set->chunks ? at : set->chunks;
}

bool chunk_bitmap_next(const struct chunk_bitmap *set, uint64_t from,
                       uint64_t *first, uint64_t *count)
{
    *first = find(set, from, true);
    *count = find(set, *first, false) - *first;
    return *count > 0;
}

void chunk_bitmap_copy(struct chunk_bitmap *to, const struct chunk_bitmap *from)
{
    uint64_t count = 0;

    for (uint64_t i = 0; i < word_count(from->chunks); i++) {
        uint64_t word = atomic_load(&from->words[i]);

        atomic_store(&to->words[i], word);
        count += bits(word);
    }
    atomic_store(&to->count, count);
}

void chunk_bitmap_clear(struct chunk_bitmap *set)
{
    for (uint64_t i = 0; i < word_count(set->chunks); i++)
        atomic_store(&set->words[i], 0);
    atomic_store(&set->count, 0);
}

void chunk_bitmap_fini(struct chunk_bitmap *set)
{
    free(set->words);
    set->words = NULL;
}
