/*
 * zstd.h - libzstd for all users: qcow2 clusters, data on a slow network,
 * whole images.  Frames (RFC 8878) in memory need no window; a stream of
 * frames gets one of at most ZSTD_WINDOW_BYTES, however large a foreign header
 * claims it is.
 *
 * An instance belongs to one thread.
 */
#ifndef CW_BASE_ZSTD_H
#define CW_BASE_ZSTD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Level 1: packs a root filesystem up to 2.9 times, at 0.4 GB/s per core; the
 * next better level (3) is 1.7 times slower. */
#define ZSTD_FAST_LEVEL 1

struct zstd_packer;

/* Returns NULL if out of memory. */
struct zstd_packer *zstd_packer_open(void);

/* Accepts NULL. */
void zstd_packer_close(struct zstd_packer *packer);

/* Compresses plain into one frame.  Returns its length, at most out_len; 0 if
 * it would be longer. */
size_t zstd_pack(struct zstd_packer *packer, const uint8_t *plain,
                 size_t plain_len, uint8_t *out, size_t out_len);

struct zstd_unpacker;

/* Returns NULL if out of memory. */
struct zstd_unpacker *zstd_unpacker_open(void);

/* Accepts NULL. */
void zstd_unpacker_close(struct zstd_unpacker *unpacker);

/* Length of the frame at packed; 0 if there is none or it is truncated. */
size_t zstd_frame_bytes(const uint8_t *packed, size_t packed_len);

/*
 * Decompresses the one frame that fills packed to out, at most out_len bytes;
 * *got: the number written.  Returns false if the frame is damaged or longer.
 */
bool zstd_unpack(struct zstd_unpacker *unpacker, const uint8_t *packed,
                 size_t packed_len, uint8_t *out, size_t out_len, size_t *got);

/*
 * Like zstd_unpack(), for bytes from a peer: packed must be one frame of the
 * final format, without a dictionary, whose header gives out_len as its size,
 * and the size must be right.  Decompresses nothing of any other.
 */
bool zstd_unpack_exactly(struct zstd_unpacker *unpacker, const uint8_t *packed,
                         size_t packed_len, uint8_t *out, size_t out_len);

/* The zstd program's maximum, unless it is run with --long. */
#define ZSTD_WINDOW_LOG   27
#define ZSTD_WINDOW_BYTES (1U << ZSTD_WINDOW_LOG)

struct zstd_stream;

/* For windows of max_window_bytes, at most ZSTD_WINDOW_BYTES.  Returns NULL if
 * out of memory. */
struct zstd_stream *zstd_stream_open(uint64_t max_window_bytes);

/* The window of the first frame at packed, after skippable frames; 0 if
 * unknown. */
uint64_t zstd_window_bytes(const uint8_t *packed, size_t packed_len);

/* Accepts NULL. */
void zstd_stream_close(struct zstd_stream *stream);

/*
 * Decompresses from the *in_len bytes at *in, moving both on, to out: at most
 * *out_len bytes; sets *out_len to the number written.  *is_whole: a frame has
 * ended here and no other has begun.  Returns NULL, or a static error text.
 */
const char *zstd_stream_step(struct zstd_stream *stream, const uint8_t **in,
                             size_t *in_len, uint8_t *out, size_t *out_len,
                             bool *is_whole);

#endif
