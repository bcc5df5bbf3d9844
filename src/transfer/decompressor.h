/*
 * decompressor.h - what a target lane does to packed data: receives it into
 * room of its own and unpacks it to where it belongs.
 */
#ifndef CW_TRANSFER_DECOMPRESSOR_H
#define CW_TRANSFER_DECOMPRESSOR_H

#include <stdint.h>

#include "base/zstd.h"
#include "net/conn.h"
#include "wire/frame.h"

/* Of one lane, zeroed. */
struct decompressor {
    struct zstd_unpacker *zstd; /* owned; NULL until something comes packed */
    uint8_t *room;              /* owned; as above */
};

void decompressor_close(struct decompressor *decompressor);

/*
 * Receives the payload of frame, a ZSTD, and writes frame->length bytes to
 * out.  ERROR_PROTOCOL, at its offset: it is not one zstd frame of just so
 * many bytes.
 */
int decompressor_recv(struct decompressor *decompressor, struct conn *conn,
                      const struct frame *frame, uint8_t *out,
                      struct error *err);

#endif
