#include "image/block_map/block_usage.h"

#include <stddef.h>
#include <stdlib.h>

#define WORD_BITS      64U
#define PAGE_WORDS     512U
#define PAGE_SECTORS   (UINT64_C(1) * PAGE_WORDS * WORD_BITS)
#define MAX_PAGES      (UINT64_C(4) << 20) /* 64 TiB of file */
#define MAX_PAGE_BYTES (UINT64_C(64) << 20)

struct usage_page {
    uint64_t used; /* sectors */
    uint64_t bits[PAGE_WORDS];
};

#define MAX_LIVE_PAGES (MAX_PAGE_BYTES / sizeof(struct usage_page))

/* Stands for every page whose sectors are all in use. */
static struct usage_page full_page;

struct block_usage {
    struct usage_page **pages; /* NULL: no sector in use; else owned, or full */
    uint64_t count;
    uint64_t live; /* pages that are allocated */
    bool gave_up;
};

struct block_usage *block_usage_open(uint64_t size_bytes)
{
    struct block_usage *usage = calloc(1, sizeof(*usage));

    if (!usage)
        return NULL;
    usage->count = size_bytes / (PAGE_SECTORS * BLOCK_USAGE_SECTOR_BYTES) + 1;
    usage->gave_up = usage->count > MAX_PAGES;
    if (usage->gave_up)
        return usage;
    usage->pages = calloc((size_t)usage->count, sizeof(struct usage_page *));
    if (usage->pages)
        return usage;
    free(usage);
    return NULL;
}

void block_usage_close(struct block_usage *usage)
{
    if (!usage)
        return;
    for (uint64_t i = 0; usage->pages && i < usage->count; i++)
        if (usage->pages[i] != &full_page)
            free(usage->pages[i]);
    free(usage->pages);
    free(usage);
}

bool block_usage_is_complete(const struct block_usage *usage)
{
    return !usage->gave_up;
}

/* Marks sectors [first, first+count) of one page. */
static enum block_usage_result mark_sectors(struct usage_page *page,
                                            uint64_t first, uint64_t count)
{
    uint64_t end = first + count;

    for (uint64_t i = first; i < end;) {
        unsigned shift = (unsigned)(i % WORD_BITS);
        uint64_t n = WORD_BITS - shift;
        uint64_t mask;

        if (n > end - i)
            n = end - i;
        mask = (n == WORD_BITS ? UINT64_MAX : (UINT64_C(1) << n) - 1) << shift;
        if (page->bits[i / WORD_BITS] & mask)
            return BLOCK_USAGE_OVERLAP;
        page->bits[i / WORD_BITS] |= mask;
        i += n;
    }
    page->used += count;
    return BLOCK_USAGE_OK;
}

static enum block_usage_result claim_in_page(struct block_usage *usage,
                                             uint64_t number, uint64_t first,
                                             uint64_t count)
{
    struct usage_page **page = &usage->pages[number];
    enum block_usage_result r;

    if (*page == &full_page)
        return BLOCK_USAGE_OVERLAP;
    if (!*page && usage->live >= MAX_LIVE_PAGES && count < PAGE_SECTORS) {
        usage->gave_up = true;
        return BLOCK_USAGE_OK;
    }
    if (!*page) {
        *page = calloc(1, sizeof(**page));
        if (!*page)
            return BLOCK_USAGE_NO_MEMORY;
        usage->live++;
    }
    r = mark_sectors(*page, first, count);
    if ((*page)->used == PAGE_SECTORS) {
        free(*page);
        *page = &full_page;
        usage->live--;
    }
    return r;
}

enum block_usage_result block_usage_claim(struct block_usage *usage,
                                          uint64_t offset, uint64_t length)
{
    uint64_t at = offset / BLOCK_USAGE_SECTOR_BYTES;
    uint64_t end = length == 0
                       ? at
                       : (offset + length - 1) / BLOCK_USAGE_SECTOR_BYTES + 1;
    enum block_usage_result r = BLOCK_USAGE_OK;

    while (at < end && r == BLOCK_USAGE_OK && !usage->gave_up) {
        uint64_t first = at % PAGE_SECTORS;
        uint64_t count = PAGE_SECTORS - first;

        if (count > end - at)
            count = end - at;
        r = claim_in_page(usage, at / PAGE_SECTORS, first, count);
        at += count;
    }
    return r;
}
