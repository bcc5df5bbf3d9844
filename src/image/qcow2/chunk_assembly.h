/*
 * chunk_assembly.h - chunks of a disk that have come in part, held until they are
 * whole.  Memory is taken page by page as they fill, up to a bound.
 */
#ifndef CW_IMAGE_QCOW2_CHUNK_ASSEMBLY_H
#define CW_IMAGE_QCOW2_CHUNK_ASSEMBLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Enough for qemu-img convert -W, which has 16 requests of 2 MiB on the way. */
#define CHUNK_ASSEMBLY_BYTES (UINT64_C(40) << 20)

struct held_chunk {
    uint64_t chunk;
    uint64_t bytes;  /* of memory, counted */
    uint8_t *memory; /* owned; a chunk's worth, zero where nothing came */
};

struct chunk_assembly {
    struct held_chunk *chunks; /* owned; ascending by number */
    size_t count;
    size_t capacity;
    uint64_t bytes; /* of all of them */
};

/* Tolerates a zeroed one. */
void chunk_assembly_fini(struct chunk_assembly *hold);

/*
 * Where [at, at+len) of chunk is to be put, which is held from now on.  NULL:
 * there is no room, and nothing has changed.
 */
uint8_t *chunk_assembly_part(struct chunk_assembly *hold, uint64_t chunk,
                             size_t at, size_t len);

/* What there is of chunk; NULL: nothing. */
const uint8_t *chunk_assembly_get(const struct chunk_assembly *hold,
                                  uint64_t chunk);

/* Lets go of chunk, if it is held. */
void chunk_assembly_drop(struct chunk_assembly *hold, uint64_t chunk);

#endif
