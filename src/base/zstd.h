/*
 * zstd.h - libzstd for whoever needs it: clusters of qcow2, and data on a
 * slow network.  Only whole frames (RFC 8878) in memory: no stream, so no
 * window is ever allocated, however large a foreign header claims it to be.
 *
 * An instance belongs to one thread.
 */
#ifndef CW_BASE_ZSTD_H
#define CW_BASE_ZSTD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct zstd_unpacker;

/* NULL when there is no memory. */
struct zstd_unpacker *zstd_unpacker_open(void);

/* Tolerates NULL. */
void zstd_unpacker_close(struct zstd_unpacker *unpacker);

/* Bytes of the frame that begins at packed; 0: none does, or it is cut. */
size_t zstd_frame_bytes(const uint8_t *packed, size_t packed_len);

/*
 * Unpacks the one frame that fills packed to out, at most out_len bytes;
 * *got is how many.  False: the frame is damaged, or longer than that.
 */
bool zstd_unpack(struct zstd_unpacker *unpacker, const uint8_t *packed,
                 size_t packed_len, uint8_t *out, size_t out_len, size_t *got);

#endif
