/* chunk_assembly.h - holds incomplete chunks of a disk until they are
 * complete. Memory is allocated page by page as they fill, up to a limit. */
#ifndef CW_IMAGE_QCOW2_CHUNK_ASSEMBLY_H
#define CW_IMAGE_QCOW2_CHUNK_ASSEMBLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Enough for qemu-img convert -W, which has 16 requests of 2 MiB in flight. */
#define CHUNK_ASSEMBLY_BYTES (UINT64_C(40) << 20)

struct held_chunk {
    uint64_t chunk;
    uint64_t bytes;  /* of memory, counted */
    uint8_t *memory; /* owned; one chunk, zero where nothing has arrived */
};

struct chunk_assembly {
    struct held_chunk *chunks; /* owned; ascending by number */
    size_t count;
    size_t capacity;
    uint64_t bytes; /* of all of them */
};

/* Tolerates a zeroed struct. */
void chunk_assembly_fini(struct chunk_assembly *hold);

/* Returns where to store [at, at+len) of chunk, which is held from now on.
 * NULL: there is no room, and nothing has changed. */
uint8_t *chunk_assembly_part(struct chunk_assembly *hold, uint64_t chunk,
                             size_t at, size_t len);

/* The part of chunk that has arrived; NULL: none. */
const uint8_t *chunk_assembly_get(const struct chunk_assembly *hold,
                                  uint64_t chunk);

/* Releases chunk, if it is held. */
void chunk_assembly_drop(struct chunk_assembly *hold, uint64_t chunk);

#endif
