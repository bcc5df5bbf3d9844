#include "record/checkpoint.h"

#include <string.h>

#include "base/bytes.h"

#define MAGIC   "clonewire-state\n" /* 16 bytes */
#define VERSION 3U
#define MAPS    ((size_t)2 * CHECKPOINT_BITMAP_BYTES)

uint64_t checkpoint_pages(uint64_t chunks)
{
    return chunks / CHECKPOINT_PAGE_CHUNKS +
           (chunks % CHECKPOINT_PAGE_CHUNKS != 0);
}

/* ---- head ---- */

void checkpoint_encode_head(uint8_t out[CHECKPOINT_HEAD_BYTES],
                            const struct checkpoint_head *head)
{
    uint8_t *at = out + 44;

    memset(out, 0, CHECKPOINT_HEAD_BYTES);
    memcpy(out, MAGIC, 16);
    put_be32(out + 16, VERSION);
    put_be32(out + 20, head->chunk_bytes);
    put_be32(out + 24, head->digest);
    put_be64(out + 28, head->virtual_bytes);
    put_be64(out + 36, head->disk_bytes);
    memcpy(at, head->job, strnlen(head->job, CHECKPOINT_JOB_BYTES - 1));
    at += CHECKPOINT_JOB_BYTES;
    memcpy(at, head->sink, strnlen(head->sink, CHECKPOINT_SINK_BYTES - 1));
    at += CHECKPOINT_SINK_BYTES;
    memcpy(at, head->source, CHECKPOINT_SOURCE_BYTES);
    at += CHECKPOINT_SOURCE_BYTES;
    memcpy(at, head->root, DIGEST_ROOT_BYTES);
    at += DIGEST_ROOT_BYTES;
    put_be64(at, head->finished_unix_ns);
    at += 8;
    memcpy(at, head->stamp, strnlen(head->stamp, CHECKPOINT_STAMP_BYTES - 1));
    at += CHECKPOINT_STAMP_BYTES;
    memcpy(at, head->peer, strnlen(head->peer, CHECKPOINT_PEER_BYTES - 1));
    at += CHECKPOINT_PEER_BYTES;
    digest_checksum(out, (size_t)(at - out), at);
}

bool checkpoint_decode_head(const uint8_t in[CHECKPOINT_HEAD_BYTES],
                            struct checkpoint_head *head)
{
    size_t body = CHECKPOINT_HEAD_BYTES - CHECKPOINT_SUM_BYTES;
    uint8_t sum[CHECKPOINT_SUM_BYTES];
    const uint8_t *at = in + 44;

    digest_checksum(in, body, sum);
    if (memcmp(in, MAGIC, 16) != 0 || get_be32(in + 16) != VERSION ||
        memcmp(in + body, sum, sizeof(sum)) != 0)
        return false;
    head->chunk_bytes = get_be32(in + 20);
    head->digest = get_be32(in + 24);
    head->virtual_bytes = get_be64(in + 28);
    head->disk_bytes = get_be64(in + 36);
    memcpy(head->job, at, CHECKPOINT_JOB_BYTES);
    at += CHECKPOINT_JOB_BYTES;
    memcpy(head->sink, at, CHECKPOINT_SINK_BYTES);
    at += CHECKPOINT_SINK_BYTES;
    memcpy(head->source, at, CHECKPOINT_SOURCE_BYTES);
    at += CHECKPOINT_SOURCE_BYTES;
    memcpy(head->root, at, DIGEST_ROOT_BYTES);
    at += DIGEST_ROOT_BYTES;
    head->finished_unix_ns = get_be64(at);
    at += 8;
    memcpy(head->stamp, at, CHECKPOINT_STAMP_BYTES);
    at += CHECKPOINT_STAMP_BYTES;
    memcpy(head->peer, at, CHECKPOINT_PEER_BYTES);
    /* This program ends each text before it makes the checksum. */
    return head->job[CHECKPOINT_JOB_BYTES - 1] == '\0' &&
           head->sink[CHECKPOINT_SINK_BYTES - 1] == '\0' &&
           head->stamp[CHECKPOINT_STAMP_BYTES - 1] == '\0' &&
           head->peer[CHECKPOINT_PEER_BYTES - 1] == '\0';
}

bool checkpoint_is_finished(const struct checkpoint_head *head)
{
    static const uint8_t none[DIGEST_ROOT_BYTES];

    return memcmp(head->root, none, sizeof(none)) != 0;
}

/* ---- pages ---- */

static bool bit_of(const uint8_t *map, unsigned i)
{
    return (map[i / 8] & (0x80U >> (i % 8))) != 0;
}

static void set_bit(uint8_t *map, unsigned i)
{
    map[i / 8] |= (uint8_t)(0x80U >> (i % 8));
}

/* Over the head's checksum, the number of the page and its bytes. */
static void sum_page(const uint8_t *page, size_t body, const uint8_t *head,
                     uint64_t number, uint8_t sum[CHECKPOINT_SUM_BYTES])
{
    uint8_t parts[CHECKPOINT_SUM_BYTES + 8 + CHECKPOINT_SUM_BYTES];

    memcpy(parts, head + CHECKPOINT_HEAD_BYTES - CHECKPOINT_SUM_BYTES,
           CHECKPOINT_SUM_BYTES);
    put_be64(parts + CHECKPOINT_SUM_BYTES, number);
    digest_checksum(page, body, parts + CHECKPOINT_SUM_BYTES + 8);
    digest_checksum(parts, sizeof(parts), sum);
}

size_t checkpoint_encode_page(uint8_t out[CHECKPOINT_PAGE_BYTES],
                              const uint8_t head[CHECKPOINT_HEAD_BYTES],
                              uint64_t number, const struct chunk_bitmap *held,
                              const struct digest *digest)
{
    uint64_t first = number * CHECKPOINT_PAGE_CHUNKS;
    size_t each = digest_each(digest), body = MAPS;

    memset(out, 0, MAPS);
    for (unsigned i = 0; i < CHECKPOINT_PAGE_CHUNKS; i++) {
        if (first + i >= held->chunks)
            break;
        if (!chunk_bitmap_has(held, first + i))
            continue;
        set_bit(out, i);
        if (digest_is_zero(digest, first + i)) {
            set_bit(out + CHECKPOINT_BITMAP_BYTES, i);
            continue;
        }
        memcpy(out + body, digest_of(digest, first + i), each);
        body += each;
    }
    sum_page(out, body, head, number, out + body);
    return body + CHECKPOINT_SUM_BYTES;
}

size_t checkpoint_page_bytes(const uint8_t bitmaps[2 * CHECKPOINT_BITMAP_BYTES],
                             size_t digest_bytes)
{
    size_t digests = 0;

    for (unsigned i = 0; i < CHECKPOINT_BITMAP_BYTES; i++) {
        unsigned held = bitmaps[i], zero = bitmaps[CHECKPOINT_BITMAP_BYTES + i];

        digests += (size_t)__builtin_popcount(held & ~zero);
    }
    return MAPS + digests * digest_bytes + CHECKPOINT_SUM_BYTES;
}

bool checkpoint_decode_page(const uint8_t *in, size_t len,
                            const uint8_t head[CHECKPOINT_HEAD_BYTES],
                            uint64_t number, struct chunk_bitmap *held,
                            struct digest *digest)
{
    const uint8_t *at = in + MAPS, *zeros = in + CHECKPOINT_BITMAP_BYTES;
    uint64_t first = number * CHECKPOINT_PAGE_CHUNKS;
    uint8_t sum[CHECKPOINT_SUM_BYTES];
    size_t each = digest_each(digest);

    if (len < MAPS + CHECKPOINT_SUM_BYTES ||
        len != checkpoint_page_bytes(in, each))
        return false;
    sum_page(in, len - CHECKPOINT_SUM_BYTES, head, number, sum);
    if (memcmp(sum, in + len - CHECKPOINT_SUM_BYTES, sizeof(sum)) != 0)
        return false;
    for (unsigned i = 0; i < CHECKPOINT_PAGE_CHUNKS; i++) {
        if (!bit_of(in, i) || first + i >= held->chunks)
            continue;
        if (bit_of(zeros, i)) {
            digest_add_zero(digest, first + i);
        } else {
            digest_set(digest, first + i, at);
            at += each;
        }
        chunk_bitmap_add(held, first + i, 1);
    }
    return true;
}
