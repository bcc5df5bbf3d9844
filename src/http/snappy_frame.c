#include "http/snappy_frame.h"

#include <assert.h>
#include <snappy-c.h>
#include <string.h>

#include "base/bytes.h"
#include "base/iszero.h"
#include "wire/crc32c.h"

#define TYPE_PACKED    0x00U
#define TYPE_PLAIN     0x01U
#define TYPE_SKIPPABLE 0x80U /* and above */
#define TYPE_NAME      0xffU
#define TYPE_BYTES     4U /* type and length */
#define PLACE_MIN      4096U

const uint8_t snappy_frame_name[SNAPPY_FRAME_NAME_BYTES] = {
    TYPE_NAME, 6, 0, 0, 's', 'N', 'a', 'P', 'p', 'Y',
};

/* The CRC of data that contains its own CRC is weak, so the format masks
 * it. */
static uint32_t masked(uint32_t crc)
{
    return (crc >> 15 | crc << 17) + UINT32_C(0xa282ead8);
}

/* The length in the header of a chunk, without the header's own bytes. */
static uint32_t body_bytes(const uint8_t *head)
{
    return get_le32(head) >> 8;
}

static void put_head(uint8_t head[SNAPPY_FRAME_HEAD_BYTES], unsigned type,
                     size_t body_len, uint32_t crc)
{
    put_le32(head, type | ((uint32_t)body_len + SNAPPY_FRAME_CHECK_BYTES) << 8);
    put_le32(head + TYPE_BYTES, masked(crc));
}

/* ---- out ---- */

void snappy_frame_write(struct snappy_frame_writer *writer, const uint8_t *data,
                        size_t len, struct snappy_frame_chunk *chunk)
{
    static const uint8_t zeros[SNAPPY_FRAME_BLOCK_BYTES];
    size_t packed = sizeof(writer->packed);
    uint32_t crc;

    assert(len > 0 && len <= SNAPPY_FRAME_BLOCK_BYTES);
    if (!data && len == SNAPPY_FRAME_BLOCK_BYTES && writer->zero_len > 0) {
        memcpy(chunk->head, writer->zero_head, sizeof(chunk->head));
        chunk->body = writer->zero_packed;
        chunk->body_len = writer->zero_len;
        return;
    }
    crc = crc32c(0, data ? data : zeros, len);
    chunk->body = data ? data : zeros;
    chunk->body_len = len;
    /* Saving less than an eighth is not worth the reader's time. */
    if ((!data || !writer->stores) &&
        snappy_compress((const char *)chunk->body, len, (char *)writer->packed,
                        &packed) == SNAPPY_OK &&
        packed < len - len / 8) {
        chunk->body = writer->packed;
        chunk->body_len = packed;
    }
    put_head(chunk->head,
             chunk->body == writer->packed ? TYPE_PACKED : TYPE_PLAIN,
             chunk->body_len, crc);
}

void snappy_frame_writer_init(struct snappy_frame_writer *writer)
{
    struct snappy_frame_chunk chunk;

    writer->stores = false;
    writer->zero_len = 0;
    snappy_frame_write(writer, NULL, SNAPPY_FRAME_BLOCK_BYTES, &chunk);
    if (chunk.body_len > sizeof(writer->zero_packed))
        return; /* a snappy that packs worse: built each time */
    memcpy(writer->zero_head, chunk.head, sizeof(chunk.head));
    memcpy(writer->zero_packed, chunk.body, chunk.body_len);
    writer->zero_len = chunk.body_len;
}

/* ---- in ---- */

void snappy_frame_reader_init(struct snappy_frame_reader *reader)
{
    reader->taken = reader->skip = 0;
    reader->has_begun = false;
    reader->held = reader->zero_len = reader->zero_plain = 0;
}

/* Checks the length of a chunk's body.  SNAPPY_FRAME_MORE: valid. */
static enum snappy_frame_result check_head(
    const struct snappy_frame_reader *reader, const uint8_t *head)
{
    uint32_t len = body_bytes(head);

    if (head[0] == TYPE_NAME || !reader->has_begun)
        return memcmp(head, snappy_frame_name, TYPE_BYTES) == 0
                   ? SNAPPY_FRAME_MORE
                   : SNAPPY_FRAME_BAD_NAME;
    if (head[0] >= TYPE_SKIPPABLE)
        return SNAPPY_FRAME_MORE;
    if (head[0] > TYPE_PLAIN)
        return SNAPPY_FRAME_BAD_TYPE;
    if (len < SNAPPY_FRAME_CHECK_BYTES ||
        len - SNAPPY_FRAME_CHECK_BYTES > (head[0] == TYPE_PACKED
                                              ? SNAPPY_FRAME_PACKED_BYTES
                                              : SNAPPY_FRAME_BLOCK_BYTES))
        return SNAPPY_FRAME_BAD_LENGTH;
    return SNAPPY_FRAME_MORE;
}

/* Remembers a whole chunk of zeros: an equal chunk is zeros as well. */
static void remember_zeros(struct snappy_frame_reader *reader,
                           const uint8_t *chunk, size_t chunk_len, size_t plain)
{
    if (chunk_len > sizeof(reader->zero))
        return;
    memcpy(reader->zero, chunk, chunk_len);
    reader->zero_len = chunk_len;
    reader->zero_plain = plain;
}

static enum snappy_frame_result unpack(const uint8_t *body, size_t len,
                                       uint8_t *out, size_t *plain)
{
    size_t room = SNAPPY_FRAME_BLOCK_BYTES;

    if (snappy_uncompressed_length((const char *)body, len, plain) != SNAPPY_OK)
        return SNAPPY_FRAME_BAD_DATA;
    if (*plain > SNAPPY_FRAME_BLOCK_BYTES)
        return SNAPPY_FRAME_BAD_LENGTH;
    return snappy_uncompress((const char *)body, len, (char *)out, &room) ==
                   SNAPPY_OK
               ? SNAPPY_FRAME_BLOCK
               : SNAPPY_FRAME_BAD_DATA;
}

/* Do the bytes at out match the header of their chunk? */
static enum snappy_frame_result check_block(const uint8_t *head,
                                            const uint8_t *out,
                                            struct snappy_frame_block *block)
{
    if (masked(crc32c(0, out, block->len)) != get_le32(head + TYPE_BYTES))
        return SNAPPY_FRAME_BAD_CHECK;
    block->is_zero = iszero(out, block->len);
    return SNAPPY_FRAME_BLOCK;
}

static enum snappy_frame_result take_data(struct snappy_frame_reader *reader,
                                          const uint8_t *chunk,
                                          size_t chunk_len, uint8_t *out,
                                          struct snappy_frame_block *block)
{
    const uint8_t *body = chunk + SNAPPY_FRAME_HEAD_BYTES;
    size_t body_len = chunk_len - SNAPPY_FRAME_HEAD_BYTES;
    enum snappy_frame_result r = SNAPPY_FRAME_BLOCK;

    if (chunk_len == reader->zero_len &&
        memcmp(chunk, reader->zero, chunk_len) == 0) {
        *block = (struct snappy_frame_block){ reader->zero_plain, true };
        return SNAPPY_FRAME_BLOCK;
    }
    block->len = body_len;
    if (chunk[0] == TYPE_PACKED)
        r = unpack(body, body_len, out, &block->len);
    else
        memcpy(out, body, body_len);
    if (r == SNAPPY_FRAME_BLOCK)
        r = check_block(chunk, out, block);
    if (r == SNAPPY_FRAME_BLOCK && block->is_zero && block->len > 0)
        remember_zeros(reader, chunk, chunk_len, block->len);
    return r;
}

/* Processes a whole chunk that is not skipped. */
static enum snappy_frame_result take_chunk(struct snappy_frame_reader *reader,
                                           const uint8_t *chunk, size_t len,
                                           uint8_t *out,
                                           struct snappy_frame_block *block)
{
    enum snappy_frame_result r;

    if (chunk[0] != TYPE_NAME) {
        r = take_data(reader, chunk, len, out, block);
        return r == SNAPPY_FRAME_BLOCK && block->len == 0 ? SNAPPY_FRAME_MORE
                                                          : r;
    }
    if (memcmp(chunk, snappy_frame_name, sizeof(snappy_frame_name)) != 0)
        return SNAPPY_FRAME_BAD_NAME;
    reader->has_begun = true;
    return SNAPPY_FRAME_MORE;
}

static void move_on(struct snappy_frame_reader *reader, const uint8_t **in,
                    size_t *len, size_t n)
{
    *in += n;
    *len -= n;
    reader->taken += n;
}

/* Adds input to hold until it has want bytes.  Returns false if incomplete. */
static bool hold(struct snappy_frame_reader *reader, const uint8_t **in,
                 size_t *len, size_t want)
{
    size_t n = want - reader->held;

    if (n > *len)
        n = *len;
    memcpy(reader->hold + reader->held, *in, n);
    reader->held += n;
    move_on(reader, in, len, n);
    return reader->held == want;
}

/*
 * Finds the next chunk, in the input if it is whole there, else in hold.
 * SNAPPY_FRAME_MORE and *chunk NULL: incomplete, or skipped.
 */
static enum snappy_frame_result next_chunk(struct snappy_frame_reader *reader,
                                           const uint8_t **in, size_t *len,
                                           const uint8_t **chunk,
                                           size_t *chunk_len)
{
    bool in_place = reader->held == 0 && *len >= TYPE_BYTES;
    const uint8_t *head = in_place ? *in : reader->hold;
    enum snappy_frame_result r;

    *chunk = NULL;
    if (!in_place && reader->held < TYPE_BYTES &&
        !hold(reader, in, len, TYPE_BYTES))
        return SNAPPY_FRAME_MORE;
    r = check_head(reader, head);
    if (r != SNAPPY_FRAME_MORE)
        return r;

    *chunk_len = TYPE_BYTES + body_bytes(head);
    if (head[0] >= TYPE_SKIPPABLE && head[0] != TYPE_NAME) {
        reader->skip = *chunk_len - reader->held;
        reader->held = 0;
    } else if (in_place && *len >= *chunk_len) {
        *chunk = *in;
        move_on(reader, in, len, *chunk_len);
    } else if (hold(reader, in, len, *chunk_len)) {
        *chunk = reader->hold;
        reader->held = 0;
    }
    return SNAPPY_FRAME_MORE;
}

enum snappy_frame_result snappy_frame_read(struct snappy_frame_reader *reader,
                                           const uint8_t **in, size_t *len,
                                           uint8_t *out,
                                           struct snappy_frame_block *block)
{
    enum snappy_frame_result r = SNAPPY_FRAME_MORE;

    while (r == SNAPPY_FRAME_MORE && *len > 0) {
        const uint8_t *chunk;
        size_t chunk_len;

        if (reader->skip > 0) {
            size_t n = reader->skip < *len ? (size_t)reader->skip : *len;

            move_on(reader, in, len, n);
            reader->skip -= n;
            continue;
        }
        r = next_chunk(reader, in, len, &chunk, &chunk_len);
        if (chunk)
            r = take_chunk(reader, chunk, chunk_len, out, block);
    }
    return r;
}

uint8_t *snappy_frame_place(struct snappy_frame_reader *reader, uint8_t *out,
                            size_t *missing)
{
    const uint8_t *head = reader->hold;
    size_t chunk_len;

    if (reader->held < SNAPPY_FRAME_HEAD_BYTES || head[0] > TYPE_PLAIN)
        return NULL;
    chunk_len = TYPE_BYTES + body_bytes(head);
    *missing = chunk_len - reader->held;
    if (*missing < PLACE_MIN)
        return NULL;
    return head[0] == TYPE_PLAIN
               ? out + (reader->held - SNAPPY_FRAME_HEAD_BYTES)
               : reader->hold + reader->held;
}

enum snappy_frame_result snappy_frame_placed(struct snappy_frame_reader *reader,
                                             uint8_t *out,
                                             struct snappy_frame_block *block)
{
    const uint8_t *head = reader->hold;
    size_t chunk_len = TYPE_BYTES + body_bytes(head);
    size_t in_front = reader->held - SNAPPY_FRAME_HEAD_BYTES;

    reader->taken += chunk_len - reader->held;
    reader->held = 0;
    if (head[0] == TYPE_PACKED)
        return take_data(reader, head, chunk_len, out, block);
    memcpy(out, head + SNAPPY_FRAME_HEAD_BYTES, in_front);
    block->len = chunk_len - SNAPPY_FRAME_HEAD_BYTES;
    return check_block(head, out, block);
}

enum snappy_frame_result snappy_frame_end(
    const struct snappy_frame_reader *reader)
{
    if (reader->taken == 0)
        return SNAPPY_FRAME_EMPTY;
    if (reader->held > 0 || reader->skip > 0)
        return SNAPPY_FRAME_CUT;
    return SNAPPY_FRAME_MORE;
}

const char *snappy_frame_text(enum snappy_frame_result result)
{
    switch (result) {
    case SNAPPY_FRAME_MORE:
    case SNAPPY_FRAME_BLOCK: return "no fault";
    case SNAPPY_FRAME_BAD_NAME: return "not in snappy's framing format";
    case SNAPPY_FRAME_BAD_TYPE: return "a chunk of unknown type";
    case SNAPPY_FRAME_BAD_LENGTH: return "a chunk of impossible length";
    case SNAPPY_FRAME_BAD_DATA: return "damaged: a chunk cannot be unpacked";
    case SNAPPY_FRAME_BAD_CHECK: return "damaged: a checksum does not fit";
    case SNAPPY_FRAME_CUT: return "cut short within a chunk";
    case SNAPPY_FRAME_EMPTY: return "empty";
    }
    return "unknown fault";
}
