/*
 * snappy_encoder.h - sends plain bytes in snappy's framing format, in the body of
 * a POST.  It detects zeros, which cost almost nothing.
 *
 * Packed data costs CPU, stored data costs network: the encoder tries both from
 * time to time, and uses the faster one for a while.
 *
 * Used by one thread.
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
    uint8_t rest[SNAPPY_FRAME_BLOCK_BYTES]; /* not enough for a chunk yet */
    size_t rest_len;

    /* Plain bytes so far, for the progress. */
    uint64_t data_bytes;
    uint64_t zero_bytes;

    /* The two modes under comparison: 0 packs, 1 stores. */
    bool is_trying;
    uint64_t ends_at;  /* data_bytes at which this stretch ends */
    uint64_t began_at; /* data_bytes */
    uint64_t began_ns;
    uint64_t cost[2]; /* ns per GiB */
};

/* Sends the stream identifier; *encoder need not be initialized. */
int snappy_encoder_open(struct snappy_encoder *encoder,
                        struct upload_client *client, struct error *err);

/* Sends the next len plain bytes; data NULL: len zeros.  1: the response has
 * already arrived. */
int snappy_encoder_put(struct snappy_encoder *encoder, const uint8_t *data,
                       uint64_t len, struct error *err);

/* Sends the bytes still held back. */
int snappy_encoder_finish(struct snappy_encoder *encoder, struct error *err);

#endif
