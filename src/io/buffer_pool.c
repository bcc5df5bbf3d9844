#include "io/buffer_pool.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/checked.h"

#define HUGE_PAGE_BYTES ((size_t)2 << 20)

struct buffer_pool {
    uint8_t *region; /* owned mapping */
    size_t region_len;
    size_t headroom_len; /* BUFFER_POOL_HEADROOM_BYTES, in whole pages */
    size_t stride;       /* from one buffer to the next */
    unsigned count;
    unsigned leased;
    bool *is_leased;
    uint8_t **free_bufs; /* a stack: the buffer last used is still cached */
};

/* Sets stride and region_len.  Returns true on overflow. */
static bool measure(struct buffer_pool *pool, size_t buffer_bytes)
{
    uint64_t page_bytes = (uint64_t)sysconf(_SC_PAGESIZE);
    uint64_t headroom, stride, total;

    if (ckd_align_up(&headroom, BUFFER_POOL_HEADROOM_BYTES, page_bytes) ||
        ckd_add(&stride, headroom, buffer_bytes) ||
        ckd_align_up(&stride, stride, page_bytes) ||
        ckd_mul(&total, stride, (uint64_t)pool->count) ||
        total > SIZE_MAX - HUGE_PAGE_BYTES)
        return true;
    pool->headroom_len = (size_t)headroom;
    pool->stride = (size_t)stride;
    pool->region_len = (size_t)total;
    return pool->region_len != total;
}

/*
 * Maps the region at a multiple of HUGE_PAGE_BYTES and asks for huge pages.  A
 * device takes a limited number of segments a request (virtio: 254), so 1 MiB
 * in pages of 4 KiB is two requests, and in a huge page one segment.  What
 * lies behind the last huge page stays in small ones.
 */
static bool map_region(struct buffer_pool *pool)
{
    size_t len = pool->region_len + HUGE_PAGE_BYTES;
    uint8_t *map = mmap(NULL, len, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    size_t before;

    if (map == MAP_FAILED)
        return false;
    before = -(uintptr_t)map % HUGE_PAGE_BYTES;
    pool->region = map + before;
    if (before > 0)
        munmap(map, before);
    munmap(pool->region + pool->region_len, HUGE_PAGE_BYTES - before);
    madvise(pool->region, pool->region_len, MADV_HUGEPAGE);
    return true;
}

static uint8_t *buf_at(const struct buffer_pool *pool, size_t i)
{
    return pool->region + i * pool->stride + pool->headroom_len;
}

static size_t index_of(const struct buffer_pool *pool, const uint8_t *buf)
{
    return (size_t)(buf - pool->region) / pool->stride;
}

struct buffer_pool *buffer_pool_open(unsigned count, size_t buffer_bytes)
{
    struct buffer_pool *pool = calloc(1, sizeof(*pool));

    assert(count > 0 && buffer_bytes > 0 && buffer_bytes % 4096 == 0);
    if (!pool)
        return NULL;
    pool->count = count;
    pool->is_leased = calloc(count, sizeof(*pool->is_leased));
    pool->free_bufs = calloc(count, sizeof(*pool->free_bufs));
    if (!pool->is_leased || !pool->free_bufs || measure(pool, buffer_bytes) ||
        !map_region(pool)) {
        buffer_pool_close(pool);
        return NULL;
    }

    for (unsigned i = 0; i < count; i++)
        pool->free_bufs[count - 1 - i] = buf_at(pool, i);
    return pool;
}

void buffer_pool_close(struct buffer_pool *pool)
{
    if (!pool)
        return;
    if (pool->region)
        munmap(pool->region, pool->region_len);
    free(pool->free_bufs);
    free(pool->is_leased);
    free(pool);
}

uint8_t *buffer_pool_lease(struct buffer_pool *pool)
{
    uint8_t *buf;

    if (pool->leased == pool->count)
        return NULL;
    buf = pool->free_bufs[pool->count - ++pool->leased];
    pool->is_leased[index_of(pool, buf)] = true;
    return buf;
}

void buffer_pool_return(struct buffer_pool *pool, uint8_t *buf)
{
    size_t i = index_of(pool, buf);

    assert(i < pool->count && buf_at(pool, i) == buf && pool->is_leased[i]);
    pool->is_leased[i] = false;
    pool->free_bufs[pool->count - pool->leased--] = buf;
}

unsigned buffer_pool_leased(const struct buffer_pool *pool)
{
    return pool->leased;
}

void *buffer_pool_region(const struct buffer_pool *pool, size_t *len)
{
    *len = pool->region_len;
    return pool->region;
}
