#include "image/qcow2/chunk_assembly.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "image/qcow2/grow.h"
#include "plan/chunk_grid.h"

#define PAGE_BYTES UINT64_C(4096)

static void let_go(struct held_chunk *held)
{
    munmap(held->memory, CHUNK_BYTES);
}

void chunk_assembly_fini(struct chunk_assembly *hold)
{
    for (size_t i = 0; i < hold->count; i++)
        let_go(&hold->chunks[i]);
    free(hold->chunks);
    *hold = (struct chunk_assembly){ 0 };
}

/* Finds the first chunk with this number or a higher one. */
static size_t find(const struct chunk_assembly *hold, uint64_t chunk)
{
    size_t low = 0, high = hold->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (hold->chunks[middle].chunk < chunk)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool is_at(const struct chunk_assembly *hold, size_t i, uint64_t chunk)
{
    return i < hold->count && hold->chunks[i].chunk == chunk;
}

/* With huge pages, one byte would take 2 MiB. */
static uint8_t *map_chunk(void)
{
    void *memory = mmap(NULL, CHUNK_BYTES, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (memory == MAP_FAILED)
        return NULL;
    madvise(memory, CHUNK_BYTES, MADV_NOHUGEPAGE);
    return memory;
}

static bool insert(struct chunk_assembly *hold, size_t i, uint64_t chunk)
{
    struct held_chunk *chunks = grow(hold->chunks, hold->count, &hold->capacity,
                                     sizeof(*chunks));
    uint8_t *memory;

    if (!chunks)
        return false;
    hold->chunks = chunks;
    memory = map_chunk();
    if (!memory)
        return false;
    memmove(&hold->chunks[i + 1], &hold->chunks[i],
            (hold->count - i) * sizeof(*hold->chunks));
    hold->chunks[i] = (struct held_chunk){ chunk, 0, memory };
    hold->count++;
    return true;
}

uint8_t *chunk_assembly_part(struct chunk_assembly *hold, uint64_t chunk,
                             size_t at, size_t len)
{
    /*
     * A page that arrives in two parts counts twice, but not beyond the total.
     */
    uint64_t pages = (at % PAGE_BYTES + len + PAGE_BYTES - 1) / PAGE_BYTES;
    size_t i = find(hold, chunk);
    uint64_t have = is_at(hold, i, chunk) ? hold->chunks[i].bytes : 0;
    uint64_t more = pages * PAGE_BYTES;

    if (more > CHUNK_BYTES - have)
        more = CHUNK_BYTES - have;
    if (more > CHUNK_ASSEMBLY_BYTES - hold->bytes)
        return NULL;
    if (!is_at(hold, i, chunk) && !insert(hold, i, chunk))
        return NULL;
    hold->chunks[i].bytes += more;
    hold->bytes += more;
    return hold->chunks[i].memory + at;
}

const uint8_t *chunk_assembly_get(const struct chunk_assembly *hold,
                                  uint64_t chunk)
{
    size_t i = find(hold, chunk);

    return is_at(hold, i, chunk) ? hold->chunks[i].memory : NULL;
}

void chunk_assembly_drop(struct chunk_assembly *hold, uint64_t chunk)
{
    size_t i = find(hold, chunk);

    if (!is_at(hold, i, chunk))
        return;
    let_go(&hold->chunks[i]);
    hold->bytes -= hold->chunks[i].bytes;
    hold->count--;
    memmove(&hold->chunks[i], &hold->chunks[i + 1],
            (hold->count - i) * sizeof(*hold->chunks));
}
