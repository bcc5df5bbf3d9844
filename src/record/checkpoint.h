/*
 * checkpoint.h - the durable record of which chunks of a disk are on stable
 * storage, with their digests.  Pure: bytes to structs and back.
 *
 * A head and pages, each with a checksum:
 *
 *   head   magic, version, what the record is bound to, checksum
 *   page   for CHECKPOINT_PAGE_CHUNKS chunks: bitmap of those held, bitmap of
 *          those that are zero, digests of the others, checksum
 *
 *   code   HMAC-SHA256 of all above; zero bytes without a key
 *
 * Integers are big-endian.  A page's checksum covers its number and the
 * head's checksum, so that pages of different records do not mix.  So a
 * record of any size is written and read in little memory.
 */
#ifndef CW_RECORD_CHECKPOINT_H
#define CW_RECORD_CHECKPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "plan/chunk_bitmap.h"
#include "record/digest.h"

#define CHECKPOINT_JOB_BYTES    128U
#define CHECKPOINT_SINK_BYTES   128U
#define CHECKPOINT_SOURCE_BYTES 32U
#define CHECKPOINT_SUM_BYTES    16U
#define CHECKPOINT_STAMP_BYTES  256U
#define CHECKPOINT_PEER_BYTES   256U

/* What the record is bound to: all of it must fit, or it is another's. */
struct checkpoint_head {
    char job[CHECKPOINT_JOB_BYTES];
    char sink[CHECKPOINT_SINK_BYTES];        /* which file or device */
    uint8_t source[CHECKPOINT_SOURCE_BYTES]; /* identity announced; 0: none */
    uint32_t chunk_bytes;
    uint32_t digest; /* enum digest_algorithm */
    uint64_t virtual_bytes;
    uint64_t disk_bytes; /* of the disk the target makes */
    /* Digest root of the disk, once it is known to be whole, equal to the
     * source's and durable.  0: it is not finished. */
    uint8_t root[DIGEST_ROOT_BYTES];
    uint64_t finished_unix_ns; /* when that was */
    /* What of the file or device changes when it is written to, as it was
     * at the save; "": nothing does. */
    char stamp[CHECKPOINT_STAMP_BYTES];
    /* Who the disk came from: name of the certificate, or identity of the
     * pre-shared key; "": a source that had the pairing code. */
    char peer[CHECKPOINT_PEER_BYTES];
};

#define CHECKPOINT_HEAD_BYTES                                              \
    (16U + 4U + 4U + 4U + 8U + 8U + CHECKPOINT_JOB_BYTES +                 \
     CHECKPOINT_SINK_BYTES + CHECKPOINT_SOURCE_BYTES + DIGEST_ROOT_BYTES + \
     8U + CHECKPOINT_STAMP_BYTES + CHECKPOINT_PEER_BYTES +                 \
     CHECKPOINT_SUM_BYTES)

#define CHECKPOINT_PAGE_CHUNKS  8192U
#define CHECKPOINT_BITMAP_BYTES (CHECKPOINT_PAGE_CHUNKS / 8U)
#define CHECKPOINT_PAGE_BYTES       \
    (2U * CHECKPOINT_BITMAP_BYTES + \
     CHECKPOINT_PAGE_CHUNKS * DIGEST_MAX_BYTES + CHECKPOINT_SUM_BYTES)

/* Was the disk finished when the record was written? */
bool checkpoint_is_finished(const struct checkpoint_head *head);

/* Pages of a disk. */
uint64_t checkpoint_pages(uint64_t chunks);

/* Writes CHECKPOINT_HEAD_BYTES to out. */
void checkpoint_encode_head(uint8_t out[CHECKPOINT_HEAD_BYTES],
                            const struct checkpoint_head *head);

/* False: not a record of this version, or damaged. */
bool checkpoint_decode_head(const uint8_t in[CHECKPOINT_HEAD_BYTES],
                            struct checkpoint_head *head);

/*
 * Writes page number of held and digest to out; returns its bytes, at most
 * CHECKPOINT_PAGE_BYTES.  head: as encoded.
 */
size_t checkpoint_encode_page(uint8_t out[CHECKPOINT_PAGE_BYTES],
                              const uint8_t head[CHECKPOINT_HEAD_BYTES],
                              uint64_t number, const struct chunk_bitmap *held,
                              const struct digest *digest);

/* Bytes of the page that begins with these two bitmaps. */
size_t checkpoint_page_bytes(const uint8_t bitmaps[2 * CHECKPOINT_BITMAP_BYTES],
                             size_t digest_bytes);

/*
 * Takes page number, len bytes as of checkpoint_page_bytes(), into held and
 * digest, both of the head's disk.  False: damaged, and nothing was taken.
 */
bool checkpoint_decode_page(const uint8_t *in, size_t len,
                            const uint8_t head[CHECKPOINT_HEAD_BYTES],
                            uint64_t number, struct chunk_bitmap *held,
                            struct digest *digest);

#endif
