/*
 * decompressor.h - a target lane receives packed data into its own buffer and
 * unpacks it into the chunk.
 */
#ifndef CW_TRANSFER_DECOMPRESSOR_H
#define CW_TRANSFER_DECOMPRESSOR_H

#include <stdint.h>

#include "base/zstd.h"
#include "net/conn.h"
#include "wire/frame.h"

/* One per lane; starts zeroed. */
struct decompressor {
    struct zstd_unpacker *zstd; /* owned; NULL until packed data arrives */
    uint8_t *room;              /* owned; as above */
};

void decompressor_close(struct decompressor *decompressor);

/*
 * Receives the payload of frame, a ZSTD, and writes frame->length bytes to
 * out.  ERROR_PROTOCOL, at its offset: the payload is not exactly one zstd
 * frame of that many bytes.
 */
int decompressor_recv(struct decompressor *decompressor, struct conn *conn,
                      const struct frame *frame, uint8_t *out,
                      struct error *err);

#endif
