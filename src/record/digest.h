/*
 * digest.h - a fingerprint of the whole disk, filled in any order.
 *
 * Three levels, so that zeros cost nothing and order does not matter:
 *
 *   leaf   64 KiB of the disk; all-zero: a digest of zero bytes, else hash()
 *   chunk  1 MiB; all leaves zero: zero bytes, else hash(its leaf digests)
 *   root   SHA-256 over a header and the chunk digests in disk order
 *
 * hash() is XXH3-128 (the default: finds every fault, costs 0.04 s/GB) or
 * SHA-256 (for receipts: also withstands malice).  A hole and written zeros
 * count the same, so raw and qcow2 of one disk have one root.
 * docs/protocol.md is normative.
 *
 * Any lane may set any chunk; two lanes never set the same one.  Chunks
 * never set count as all zero: their memory is never touched.
 */
#ifndef CW_RECORD_DIGEST_H
#define CW_RECORD_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "plan/chunk_grid.h"

#define DIGEST_MAX_BYTES  32U
#define DIGEST_ROOT_BYTES 32U
#define DIGEST_TEXT_BYTES 80U

enum digest_algorithm {
    DIGEST_XXH3_128 = 1, /* 16 bytes; the numbers travel in HELLO */
    DIGEST_SHA256 = 2,   /* 32 bytes */
};

struct digest; /* the table of one disk */

/* True when number is an algorithm this version knows. */
bool digest_is_known(uint32_t number);

/* "xxh3-128", "sha256". */
const char *digest_name(enum digest_algorithm algorithm);

/* Bytes of one chunk digest. */
size_t digest_bytes(enum digest_algorithm algorithm);

/* An all-zero table for a disk.  ERROR_SYSTEM: out of memory. */
int digest_open(enum digest_algorithm algorithm, uint64_t virtual_bytes,
                struct digest **digest, struct error *err);

/*
 * Computes and stores the digest of chunk index, whose len bytes (a whole
 * chunk, or the shorter last one) are at data.
 */
void digest_add(struct digest *digest, uint64_t index, const uint8_t *data,
                size_t len);

/* The disk has turned out to be no larger than virtual_bytes, which is not
 * more than at the open; nothing after that was added. */
void digest_cut(struct digest *digest, uint64_t virtual_bytes);

/* The leaves of a chunk; those that a short one lacks are zero bytes. */
#define DIGEST_LEAVES_BYTES (CHUNK_LEAVES * DIGEST_MAX_BYTES)

/*
 * Computes the leaf digests of a chunk of len bytes at data to leaves
 * (CHUNK_LEAVES of them), but for those whose bit is set in keep: they stay
 * as they are; or in blank: they are zero.  Their data is not read.
 */
void digest_leaves(const struct digest *digest, const uint8_t *data, size_t len,
                   unsigned keep, unsigned blank, uint8_t *leaves);

/* Sums of the blocks (4 KiB) of a chunk: half the strength of a digest, to
 * find the unchanged blocks of a leaf. */
#define DIGEST_GRAIN_BYTES 4096U
#define DIGEST_SUM_BYTES   6U
#define DIGEST_SUMS_BYTES  1536U /* of a chunk */

/*
 * Computes the sums of len bytes at data, up to a chunk, to sums: the first
 * bytes of XXH3-64 of each block, the last of which may be short.
 */
void digest_sums(const uint8_t *data, size_t len, uint8_t *sums);

/* The sums of len zero bytes, to sums (DIGEST_SUMS_BYTES). */
void digest_zero_sums(size_t len, uint8_t *sums);

/* Stores the digest of chunk index, which follows from its leaves. */
void digest_add_leaves(struct digest *digest, uint64_t index,
                       const uint8_t *leaves);

/* Chunk index is all zero. */
void digest_add_zero(struct digest *digest, uint64_t index);

/* Stores a digest that was computed elsewhere: digest_bytes() at value. */
void digest_set(struct digest *digest, uint64_t index, const uint8_t *value);

/* Does the stored digest say that chunk index is all zero? */
bool digest_is_zero(const struct digest *digest, uint64_t index);

/* Do two tables, of one disk and algorithm, agree on chunk index? */
bool digest_agrees(const struct digest *a, const struct digest *b,
                   uint64_t index);

enum digest_algorithm digest_algorithm(const struct digest *digest);

/* Bytes of the disk that the table is of. */
uint64_t digest_disk_bytes(const struct digest *digest);

/* Bytes of each digest of the table. */
size_t digest_each(const struct digest *digest);

/* The stored digest of chunk index: digest_bytes() bytes, borrowed. */
const uint8_t *digest_of(const struct digest *digest, uint64_t index);

#define DIGEST_CHECKSUM_BYTES 16U

/* XXH3-128 of any bytes: to find accidents and to name things. */
void digest_checksum(const void *data, size_t len,
                     uint8_t out[DIGEST_CHECKSUM_BYTES]);

/* Bytes of a key, and of a code made with it. */
#define DIGEST_MAC_BYTES 32U

/* HMAC-SHA256 of bytes that come in parts. */
struct digest_mac;

/* key: DIGEST_MAC_BYTES.  End with digest_mac_close(). */
struct digest_mac *digest_mac_open(const uint8_t *key);
void digest_mac_add(struct digest_mac *mac, const void *data, size_t len);

/* Writes the code over all parts; the next part begins another. */
void digest_mac_end(struct digest_mac *mac, uint8_t out[DIGEST_MAC_BYTES]);

/* Compares in constant time. */
bool digest_mac_equal(const uint8_t a[DIGEST_MAC_BYTES],
                      const uint8_t b[DIGEST_MAC_BYTES]);

/* Tolerates NULL. */
void digest_mac_close(struct digest_mac *mac);

/* The root over the table as it stands. */
void digest_root(const struct digest *digest, uint8_t root[DIGEST_ROOT_BYTES]);

/* "xxh3-128:9f86d0...": what people compare.  Returns buf. */
const char *digest_format(enum digest_algorithm algorithm,
                          const uint8_t root[DIGEST_ROOT_BYTES],
                          char buf[DIGEST_TEXT_BYTES]);

/* Tolerates NULL. */
void digest_close(struct digest *digest);

#endif
