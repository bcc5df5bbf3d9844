/*
 * snappy_encoder.h - plain bytes out as snappy's framing format, in the body of a
 * POST.  Zeros are found here, and cost next to nothing.
 *
 * What is packed costs CPU, what is not costs network: now and then some is
 * sent either way, and the faster one is taken for a while.
 *
 * Belongs to one thread.
 */
#ifndef CW_CDI_SNAPPY_ENCODER_H
#define CW_CDI_SNAPPY_ENCODER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "http/snappy_frame.h"
#include "http/upload_client.h"

struct framed {
    struct post *post; /* borrowed */
    struct snapframe_writer writer;
    uint8_t rest[SNAPFRAME_BLOCK_BYTES]; /* too little for a chunk so far */
    size_t rest_len;

    /* What went by, plain; for the progress. */
    uint64_t data_bytes;
    uint64_t zero_bytes;

    /* The two ways tried and compared: 0 packs, 1 stores. */
    bool is_trying;
    uint64_t ends_at;  /* data_bytes at which this stretch is over */
    uint64_t began_at; /* data_bytes */
    uint64_t began_ns;
    uint64_t cost[2]; /* ns of a GiB */
};

/* Sends the identifier; *framed may be of any content before. */
int framed_open(struct framed *framed, struct post *post, struct error *err);

/* The next len plain bytes; NULL: so many zeros.  1: the answer is here
 * already. */
int framed_put(struct framed *framed, const uint8_t *data, uint64_t len,
               struct error *err);

/* What is still held back. */
int framed_finish(struct framed *framed, struct error *err);

#endif
