/*
 * compressor.h - a source lane compresses data before it sends it, where both
 * ends agreed to it and where it pays.  plan/compress_policy.h decides.
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

/* Bytes before the payload of compressor_pack() that the caller may use. */
#define COMPRESSOR_HEADROOM_BYTES 64U

/* One per lane.  Once opened, only the lane's thread uses it. */
struct compressor {
    struct compress_policy decision;
    struct zstd_packer *zstd; /* owned; NULL until there is data to pack */
    uint8_t *room;            /* owned; as above */
    uint64_t pack_ns;         /* for the current chunk */
    uint64_t plain_bytes, sent_bytes;
    bool has_logged; /* it has logged that it packs */
};

/* The codecs to offer in HELLO. */
uint32_t compressor_offer(enum cw_compress wish);

/*
 * Checks the codecs in PLAN.  ERROR_PROTOCOL: a codec that was not offered;
 * ERROR_USAGE: none, although the user requires compression.
 */
int compressor_agree(enum cw_compress wish, uint32_t codecs, struct error *err);

/* codecs: as agreed. */
void compressor_open(struct compressor *compressor, enum cw_compress wish,
                     uint32_t codecs);
void compressor_close(struct compressor *compressor);

/* True if it would pack data now. */
bool compressor_is_packing(const struct compressor *packing);

/*
 * Packs the data of *frame, a DATA frame, if that pays: *frame becomes a ZSTD
 * frame, and the payload is returned, borrowed until the next call.  Otherwise
 * returns plain.
 */
uint8_t *compressor_pack(struct compressor *compressor, struct frame *frame,
                         uint8_t *plain);

/* Records that a chunk was sent between start_ns and now_ns; for wait_ns of
 * that the lane waited for the network, or for the target's disk.  Decides
 * whether to pack the next chunk. */
void compressor_note(struct compressor *compressor, uint64_t start_ns,
                     uint64_t now_ns, uint64_t wait_ns, bool target_at_disk);

#endif
