#include "record/digest.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#if CW_HAS_XXH_DISPATCH
#include <xxh_x86dispatch.h> /* XXH3_128bits() by what the CPU can do */
#else
#include <xxhash.h>
#endif

#include "base/bytes.h"
#include "base/iszero.h"
#include "plan/chunk_grid.h"

_Static_assert(CHUNK_LEAVES *LEAF_BYTES == CHUNK_BYTES,
               "leaves make up a chunk");
_Static_assert(DIGEST_GRAIN_BYTES == BLOCK_BYTES &&
                   DIGEST_SUMS_BYTES ==
                       CHUNK_BYTES / BLOCK_BYTES * DIGEST_SUM_BYTES,
               "a sum for each block of a chunk");

struct digest {
    enum digest_algorithm algorithm;
    uint64_t virtual_bytes;
    uint64_t chunks;
    size_t each;        /* bytes of one chunk digest */
    uint8_t *table;     /* chunks * each; untouched pages cost nothing */
    size_t table_bytes; /* of the mapping; 0: none */
};

static const struct {
    enum digest_algorithm algorithm;
    const char *name;
    size_t bytes;
} algorithms[] = {
    { DIGEST_XXH3_128, "xxh3-128", 16 },
    { DIGEST_SHA256, "sha256", 32 },
};

#define ALGORITHM_COUNT (sizeof(algorithms) / sizeof(algorithms[0]))

bool digest_is_known(uint32_t number)
{
    for (size_t i = 0; i < ALGORITHM_COUNT; i++)
        if ((uint32_t)algorithms[i].algorithm == number)
            return true;
    return false;
}

const char *digest_name(enum digest_algorithm algorithm)
{
    for (size_t i = 0; i < ALGORITHM_COUNT; i++)
        if (algorithms[i].algorithm == algorithm)
            return algorithms[i].name;
    return "unknown";
}

size_t digest_bytes(enum digest_algorithm algorithm)
{
    for (size_t i = 0; i < ALGORITHM_COUNT; i++)
        if (algorithms[i].algorithm == algorithm)
            return algorithms[i].bytes;
    abort(); /* callers ask digest_is_known() first */
}

static void sha256(const void *data, size_t len, uint8_t *out)
{
    if (EVP_Digest(data, len, out, NULL, EVP_sha256(), NULL) != 1)
        abort(); /* only a broken libcrypto cannot hash */
}

static void hash(enum digest_algorithm algorithm, const void *data, size_t len,
                 uint8_t *out)
{
    XXH128_canonical_t canonical;

    switch (algorithm) {
    case DIGEST_XXH3_128:
        XXH128_canonicalFromHash(&canonical, XXH3_128bits(data, len));
        memcpy(out, canonical.digest, sizeof(canonical.digest));
        return;
    case DIGEST_SHA256: sha256(data, len, out); return;
    }
    abort();
}

void digest_checksum(const void *data, size_t len,
                     uint8_t out[DIGEST_CHECKSUM_BYTES])
{
    hash(DIGEST_XXH3_128, data, len, out);
}

int digest_open(enum digest_algorithm algorithm, uint64_t virtual_bytes,
                struct digest **digest, struct error *err)
{
    struct digest *d = calloc(1, sizeof(*d));

    if (!d)
        return error_set(err, ERROR_SYSTEM, ENOMEM, "keep digests");
    d->algorithm = algorithm;
    d->virtual_bytes = virtual_bytes;
    d->chunks = chunk_grid_count(virtual_bytes);
    d->each = digest_bytes(algorithm);
    d->table_bytes = d->chunks * d->each;
    if (d->table_bytes > 0) {
        d->table = mmap(NULL, d->table_bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (d->table == MAP_FAILED) {
            free(d);
            return error_set(
                err, ERROR_SYSTEM, errno, "keep digests of %llu chunks",
                (unsigned long long)chunk_grid_count(virtual_bytes));
        }
    }
    *digest = d;
    return 0;
}

void digest_cut(struct digest *digest, uint64_t virtual_bytes)
{
    assert(virtual_bytes <= digest->virtual_bytes);
    digest->virtual_bytes = virtual_bytes;
    digest->chunks = chunk_grid_count(virtual_bytes);
}

static uint8_t *slot(const struct digest *digest, uint64_t index)
{
    assert(index < digest->chunks);
    return digest->table + index * digest->each;
}

void digest_leaves(const struct digest *digest, const uint8_t *data, size_t len,
                   unsigned keep, unsigned blank, uint8_t *leaves)
{
    for (unsigned i = 0; i < CHUNK_LEAVES; i++) {
        size_t at = (size_t)i * LEAF_BYTES;
        size_t left = at < len ? len - at : 0;
        size_t part = left < LEAF_BYTES ? left : LEAF_BYTES;
        uint8_t *leaf = leaves + i * digest->each;

        if (keep & (1U << i))
            continue;
        if (part == 0 || (blank & (1U << i)) || iszero(data + at, part))
            memset(leaf, 0, digest->each);
        else
            hash(digest->algorithm, data + at, part, leaf);
    }
}

void digest_sums(const uint8_t *data, size_t len, uint8_t *sums)
{
    XXH64_canonical_t canonical;

    for (size_t at = 0; at < len; at += DIGEST_GRAIN_BYTES) {
        size_t left = len - at;

        XXH64_canonicalFromHash(
            &canonical,
            XXH3_64bits(data + at,
                        left < DIGEST_GRAIN_BYTES ? left : DIGEST_GRAIN_BYTES));
        memcpy(sums, canonical.digest, DIGEST_SUM_BYTES);
        sums += DIGEST_SUM_BYTES;
    }
}

void digest_zero_sums(size_t len, uint8_t *sums)
{
    static const uint8_t zeros[DIGEST_GRAIN_BYTES];

    memset(sums, 0, DIGEST_SUMS_BYTES);
    for (size_t at = 0; at < len; at += sizeof(zeros), sums += DIGEST_SUM_BYTES)
        digest_sums(zeros, len - at < sizeof(zeros) ? len - at : sizeof(zeros),
                    sums);
}

void digest_add_leaves(struct digest *digest, uint64_t index,
                       const uint8_t *leaves)
{
    uint64_t len = chunk_grid_length(digest->virtual_bytes, index);
    size_t count = (size_t)((len + LEAF_BYTES - 1) / LEAF_BYTES);
    size_t used = count * digest->each;

    if (iszero(leaves, used))
        digest_add_zero(digest, index);
    else
        hash(digest->algorithm, leaves, used, slot(digest, index));
}

void digest_add(struct digest *digest, uint64_t index, const uint8_t *data,
                size_t len)
{
    uint8_t leaves[DIGEST_LEAVES_BYTES];

    assert(len == chunk_grid_length(digest->virtual_bytes, index));
    digest_leaves(digest, data, len, 0, 0, leaves);
    digest_add_leaves(digest, index, leaves);
}

void digest_add_zero(struct digest *digest, uint64_t index)
{
    uint8_t *at = slot(digest, index);

    /* Reading an untouched page is free, writing it is not. */
    if (!iszero(at, digest->each))
        memset(at, 0, digest->each);
}

void digest_set(struct digest *digest, uint64_t index, const uint8_t *value)
{
    if (iszero(value, digest->each))
        digest_add_zero(digest, index);
    else
        memcpy(slot(digest, index), value, digest->each);
}

bool digest_is_zero(const struct digest *digest, uint64_t index)
{
    return iszero(slot(digest, index), digest->each);
}

bool digest_agrees(const struct digest *a, const struct digest *b,
                   uint64_t index)
{
    return memcmp(slot(a, index), slot(b, index), a->each) == 0;
}

enum digest_algorithm digest_algorithm(const struct digest *digest)
{
    return digest->algorithm;
}

uint64_t digest_disk_bytes(const struct digest *digest)
{
    return digest->virtual_bytes;
}

size_t digest_each(const struct digest *digest)
{
    return digest->each;
}

const uint8_t *digest_of(const struct digest *digest, uint64_t index)
{
    return slot(digest, index);
}

/*
 * SHA-256 over "clonewire-digest", algorithm (32 bit), chunk bytes (32 bit),
 * size of the disk (64 bit), then the table; integers big-endian.
 */
void digest_root(const struct digest *digest, uint8_t root[DIGEST_ROOT_BYTES])
{
    uint8_t head[32] = "clonewire-digest";
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();

    put_be32(head + 16, (uint32_t)digest->algorithm);
    put_be32(head + 20, (uint32_t)CHUNK_BYTES);
    put_be64(head + 24, digest->virtual_bytes);
    if (!ctx || EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) != 1 ||
        EVP_DigestUpdate(ctx, head, sizeof(head)) != 1 ||
        EVP_DigestUpdate(ctx, digest->table, digest->table_bytes) != 1 ||
        EVP_DigestFinal_ex(ctx, root, NULL) != 1)
        abort(); /* only a broken libcrypto cannot hash */
    EVP_MD_CTX_free(ctx);
}

/* ---- authenticated ---- */

struct digest_mac {
    EVP_MAC_CTX *ctx;
};

struct digest_mac *digest_mac_open(const uint8_t *key)
{
    struct digest_mac *mac = calloc(1, sizeof(*mac));
    EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    char sha256_name[] = "SHA256";
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, sha256_name, 0),
        OSSL_PARAM_construct_end(),
    };

    if (mac && hmac)
        mac->ctx = EVP_MAC_CTX_new(hmac);
    EVP_MAC_free(hmac);
    if (!mac || !mac->ctx ||
        EVP_MAC_init(mac->ctx, key, DIGEST_MAC_BYTES, params) != 1)
        abort(); /* only a broken libcrypto cannot hash */
    return mac;
}

void digest_mac_add(struct digest_mac *mac, const void *data, size_t len)
{
    if (EVP_MAC_update(mac->ctx, data, len) != 1)
        abort();
}

void digest_mac_end(struct digest_mac *mac, uint8_t out[DIGEST_MAC_BYTES])
{
    size_t len;

    if (EVP_MAC_final(mac->ctx, out, &len, DIGEST_MAC_BYTES) != 1 ||
        EVP_MAC_init(mac->ctx, NULL, 0, NULL) != 1)
        abort();
}

bool digest_mac_equal(const uint8_t a[DIGEST_MAC_BYTES],
                      const uint8_t b[DIGEST_MAC_BYTES])
{
    return CRYPTO_memcmp(a, b, DIGEST_MAC_BYTES) == 0;
}

void digest_mac_close(struct digest_mac *mac)
{
    if (!mac)
        return;
    EVP_MAC_CTX_free(mac->ctx);
    free(mac);
}

const char *digest_format(enum digest_algorithm algorithm,
                          const uint8_t root[DIGEST_ROOT_BYTES],
                          char buf[DIGEST_TEXT_BYTES])
{
    int used = snprintf(buf, DIGEST_TEXT_BYTES, "%s:", digest_name(algorithm));

    for (size_t i = 0; i < DIGEST_ROOT_BYTES; i++)
        used += snprintf(buf + used, DIGEST_TEXT_BYTES - (size_t)used, "%02x",
                         root[i]);
    return buf;
}

void digest_close(struct digest *digest)
{
    if (!digest)
        return;
    if (digest->table_bytes > 0)
        munmap(digest->table, digest->table_bytes);
    free(digest);
}
