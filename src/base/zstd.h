/*
 * zstd.h - libzstd for whoever needs it: clusters of qcow2, data on a slow
 * network, whole images.  Frames (RFC 8878) in memory need no window; a stream
 * of them gets one, of ZSTD_WINDOW_BYTES at most, however large a foreign
 * header claims it to be.
 *
 * An instance belongs to one thread.
 */
#ifndef CW_BASE_ZSTD_H
#define CW_BASE_ZSTD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Level 1: as much as 2.9 times on a root filesystem, at 0.4 GB/s of a core;
 * the next one that packs better (3) is 1.7 times slower. */
#define ZSTD_FAST_LEVEL 1

struct zstd_packer;

/* NULL when there is no memory. */
struct zstd_packer *zstd_packer_open(void);

/* Tolerates NULL. */
void zstd_packer_close(struct zstd_packer *packer);

/* Packs plain into one frame.  Its bytes, at most out_len; 0: it would be
 * longer than that. */
size_t zstd_pack(struct zstd_packer *packer, const uint8_t *plain,
                 size_t plain_len, uint8_t *out, size_t out_len);

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

/*
 * As zstd_unpack(), for bytes of a peer: packed is one frame of the final
 * format, without a dictionary, that says in its header to hold out_len
 * bytes, and does.  Nothing is unpacked of any other.
 */
bool zstd_unpack_exactly(struct zstd_unpacker *unpacker, const uint8_t *packed,
                         size_t packed_len, uint8_t *out, size_t out_len);

/* What the zstd program packs with, unless it is told --long. */
#define ZSTD_WINDOW_LOG   27
#define ZSTD_WINDOW_BYTES (1U << ZSTD_WINDOW_LOG)

struct zstd_stream;

/* For windows of max_window_bytes, ZSTD_WINDOW_BYTES at most.  NULL when there
 * is no memory. */
struct zstd_stream *zstd_stream_open(uint64_t max_window_bytes);

/* The window of the first frame at packed, behind frames that are skipped; 0:
 * it cannot be told. */
uint64_t zstd_window_bytes(const uint8_t *packed, size_t packed_len);

/* Tolerates NULL. */
void zstd_stream_close(struct zstd_stream *stream);

/*
 * Unpacks from the *in_len bytes at *in, moving both on, to out: at most
 * *out_len bytes, and *out_len becomes how many.  *is_whole: a frame has ended here, and none begun.  NULL,
 * or why not: static.
 */
const char *zstd_stream_step(struct zstd_stream *stream, const uint8_t **in,
                             size_t *in_len, uint8_t *out, size_t *out_len,
                             bool *is_whole);

#endif
