/*
 * compressor.h - what a source lane does to data before it is sent: packs it
 * where both ends agreed to that and it pays.  plan/compress_policy.h decides.
 */
#ifndef CW_TRANSFER_COMPRESSOR_H
#define CW_TRANSFER_COMPRESSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/zstd.h"
#include "clonewire/clonewire.h"
#include "plan/compress_policy.h"
#include "wire/frame.h"

/* Bytes in front of what compressor_pack() returns that are the caller's. */
#define COMPRESSOR_HEADROOM_BYTES 64U

/* Of one lane.  Opened, then used by its thread only. */
struct compressor {
    struct compress_policy decision;
    struct zstd_packer *zstd; /* owned; NULL until there is something to pack */
    uint8_t *room;            /* owned; as above */
    uint64_t pack_ns;         /* of the chunk under way */
    uint64_t plain_bytes, sent_bytes;
    bool has_told; /* that it packs */
};

/* The codecs to offer in HELLO. */
uint32_t compressor_offer(enum cw_compress wish);

/*
 * What PLAN says to that.  ERROR_PROTOCOL: a codec that was not offered;
 * ERROR_USAGE: none, where the user insists.
 */
int compressor_agree(enum cw_compress wish, uint32_t codecs, struct error *err);

/* codecs: as agreed. */
void compressor_open(struct compressor *compressor, enum cw_compress wish,
                     uint32_t codecs);
void compressor_close(struct compressor *compressor);

/* Would it pack now? */
bool compressor_is_packing(const struct compressor *packing);

/*
 * Packs the data of *frame, a DATA, if it is worth it: then *frame is ZSTD and
 * its payload is returned, borrowed until the next call.  Else plain.
 */
uint8_t *compressor_pack(struct compressor *compressor, struct frame *frame,
                         uint8_t *plain);

/* A chunk was sent, between begun_ns and now_ns, of it wait_ns waiting for
 * the network, or for a target that is at its disk.  Decides about the next. */
void compressor_note(struct compressor *compressor, uint64_t start_ns,
                     uint64_t now_ns, uint64_t wait_ns, bool target_at_disk);

#endif
