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

struct snappy_encoder {
    struct upload_client *client; /* borrowed */
    struct snappy_frame_writer writer;
    uint8_t rest[SNAPPY_FRAME_BLOCK_BYTES]; /* too little for a chunk so far */
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
int snappy_encoder_open(struct snappy_encoder *encoder,
                        struct upload_client *client, struct error *err);

/* The next len plain bytes; NULL: so many zeros.  1: the answer is here
 * already. */
int snappy_encoder_put(struct snappy_encoder *encoder, const uint8_t *data,
                       uint64_t len, struct error *err);

/* What is still held back. */
int snappy_encoder_finish(struct snappy_encoder *encoder, struct error *err);

#endif
