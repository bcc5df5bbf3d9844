/*
 * inbound.h - a chunk that a lane of a target puts together in one buffer,
 * and then writes: a frame after the other fills it, from its first byte on.
 */
#ifndef CW_TARGET_INBOUND_H
#define CW_TARGET_INBOUND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "io/io_queue.h"
#include "plan/chunk_grid.h"
#include "record/digest.h"
#include "resume/chunk_merge.h"
#include "resume/leaf_cache.h"
#include "target/chunk_checks.h"

/* Data and zeros alternate, and each is a block at least. */
#define INBOUND_RUNS_MAX (CHUNK_BYTES / BLOCK_BYTES / 2 + 1)

#define INBOUND_NONE UINT64_MAX

struct inbound {
    uint8_t *buf; /* leased; NULL when free */
    uint64_t chunk;
    size_t len;          /* bytes of the chunk */
    size_t filled;       /* bytes that have come */
    uint64_t data_bytes; /* of them as DATA */
    unsigned pending;    /* writes in flight */
    bool has_zeroed;     /* parts went to sink_zero() */
    bool is_part;        /* only its first leaves are written */
    bool has_leaves;     /* announced, so leaves may stay as they are */
    unsigned blank;      /* leaves (zero_mask.h) not in the buffer */
    uint8_t leaves[DIGEST_LEAVES_BYTES];
    struct chunk_merge merge;   /* what stays */
    struct chunk_checks checks; /* what must not be lost */
    unsigned run_count;
    struct io runs[INBOUND_RUNS_MAX]; /* pieces to write */
};

/* Nothing of the chunk has come; b->buf is leased, has_leaves and leaves are
 * the caller's to set. */
void inbound_start(struct inbound *b, uint64_t chunk, uint64_t virtual_bytes);

/* Adds len bytes, that begin where the chunk is filled, to what is written. */
void inbound_add_run(struct inbound *b, size_t len);

/*
 * No more will come: makes it the part of whole leaves that has come, and says
 * so.  False: there is none.
 */
bool inbound_cut(struct inbound *b);

/* The part is on the disk: keeps the digests of its leaves, b->leaves, with
 * those that are missing marked. */
void inbound_keep_part(struct inbound *b, size_t digest_bytes,
                       struct leaf_cache *leaves);

/* Offset of the first of count blocks whose reads or writes are in flight;
 * INBOUND_NONE: none are. */
uint64_t inbound_oldest(const struct inbound *blocks, unsigned count);

#endif
