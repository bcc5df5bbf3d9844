#include <stdio.h>
#include <stdlib.h>

#include "http/snappy_frame.h"
#include "unit.h"
#include "wire/crc32c.h"

#define BLOCK SNAPPY_FRAME_BLOCK_BYTES
#define NAME  "\xff\x06\x00\x00sNaPpY"
#define ABCD                           \
    "\x01\x08\x00\x00\x68\x10\xe6\xb6" \
    "abcd"

/* A string that may hold zero bytes, and its length. */
#define BYTES(s) (const uint8_t *)(s), sizeof(s) - 1

struct plain {
    uint8_t bytes[6 * BLOCK];
    size_t len;
    unsigned zero_blocks;
};

/* Reads a whole stream fed in pieces of step bytes; what went wrong, or
 * SNAPPY_FRAME_MORE. */
static enum snappy_frame_result read_all(const uint8_t *in, size_t len,
                                         size_t step, struct plain *plain)
{
    struct snappy_frame_reader *reader = malloc(sizeof(*reader));
    enum snappy_frame_result r = SNAPPY_FRAME_MORE;

    memset(reader, 0xa5, sizeof(*reader));
    snappy_frame_reader_init(reader);
    plain->len = plain->zero_blocks = 0;
    memset(plain->bytes, 0, sizeof(plain->bytes));
    while (len > 0) {
        const uint8_t *at = in;
        size_t n = step < len ? step : len, left = n;

        do {
            struct snappy_frame_block block = { 0, false };
            uint8_t *out = malloc(BLOCK); /* of its own: overruns show */

            r = snappy_frame_read(reader, &at, &left, out, &block);
            if (r == SNAPPY_FRAME_BLOCK) {
                assert_true(block.len > 0 && block.len <= BLOCK);
                assert_true(plain->len + block.len <= sizeof(plain->bytes));
                if (!block.is_zero)
                    memcpy(plain->bytes + plain->len, out, block.len);
                plain->len += block.len;
                plain->zero_blocks += block.is_zero;
            }
            free(out);
        } while (r == SNAPPY_FRAME_BLOCK);
        if (r != SNAPPY_FRAME_MORE)
            break;
        assert_int_equal(left, 0);
        in += n;
        len -= n;
    }
    if (r == SNAPPY_FRAME_MORE)
        r = snappy_frame_end(reader);
    free(reader);
    return r;
}

/* As RFC 3720 defines it, without a table. */
static uint32_t crc32c_by_bit(uint32_t crc, const uint8_t *buf, size_t len)
{
    crc = ~crc;
    for (size_t i = 0; i < len; i++) {
        crc ^= buf[i];
        for (unsigned bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
    }
    return ~crc;
}

static void test_crc(void **state)
{
    uint8_t bytes[32], many[20011];

    (void)state; /* RFC 3720 B.4 */
    memset(bytes, 0, sizeof(bytes));
    assert_int_equal(crc32c(0, bytes, 32), 0x8a9136aa);
    memset(bytes, 0xff, sizeof(bytes));
    assert_int_equal(crc32c(0, bytes, 32), 0x62a8ab43);
    for (unsigned i = 0; i < 32; i++)
        bytes[i] = (uint8_t)i;
    assert_int_equal(crc32c(0, bytes, 32), 0x46dd794e);
    assert_int_equal(crc32c_by_bit(0, bytes, 32), 0x46dd794e);

    for (size_t i = 0; i < sizeof(many); i++)
        many[i] = (uint8_t)(i * i >> 3);
    for (size_t len = 0; len < sizeof(many); len += 1 + len / 7)
        assert_int_equal(crc32c(7, many + len % 9, len - len % 9),
                         crc32c_by_bit(7, many + len % 9, len - len % 9));
    /* Where another way of doing it begins, and its pieces end. */
    for (size_t len = 900; len < 3400; len += 3)
        assert_int_equal(crc32c((uint32_t)len, many + len % 65, len),
                         crc32c_by_bit((uint32_t)len, many + len % 65, len));
}

/* Written by hand after the format's description, or by others' programs. */
static const struct {
    const char *name;
    const uint8_t *in;
    size_t len;
    enum snappy_frame_result want;
    const char *plain;
} golden[] = {
    { "nothing but the name", BYTES(NAME), SNAPPY_FRAME_MORE, "" },
    { "plain", BYTES(NAME ABCD), SNAPPY_FRAME_MORE, "abcd" },
    { "twice the name", BYTES(NAME NAME ABCD), SNAPPY_FRAME_MORE, "abcd" },
    { "name between", BYTES(NAME ABCD NAME ABCD), SNAPPY_FRAME_MORE,
      "abcdabcd" },
    { "packed",
      BYTES(NAME "\x00\x0a\x00\x00\x68\x10\xe6\xb6"
                 "\x04\x0c"
                 "abcd"),
      SNAPPY_FRAME_MORE, "abcd" },
    { "padding",
      BYTES(NAME "\xfe\x03\x00\x00"
                 "xyz" ABCD),
      SNAPPY_FRAME_MORE, "abcd" },
    { "empty padding", BYTES(NAME "\xfe\x00\x00\x00" ABCD "\xfe\x00\x00\x00"),
      SNAPPY_FRAME_MORE, "abcd" },
    { "skippable",
      BYTES(NAME "\x80\x01\x00\x00"
                 "x"
                 "\xfd\x02\x00\x00"
                 "\x00\x01" ABCD),
      SNAPPY_FRAME_MORE, "abcd" },
    { "an empty block", BYTES(NAME "\x01\x04\x00\x00\xd8\xea\x82\xa2" ABCD),
      SNAPPY_FRAME_MORE, "abcd" },
    { "empty", BYTES(""), SNAPPY_FRAME_EMPTY, "" },
    { "no name", BYTES(ABCD), SNAPPY_FRAME_BAD_NAME, "" },
    { "padding before the name", BYTES("\xfe\x00\x00\x00" NAME),
      SNAPPY_FRAME_BAD_NAME, "" },
    { "raw bytes", BYTES("QFI\xfb and more"), SNAPPY_FRAME_BAD_NAME, "" },
    { "another name", BYTES("\xff\x06\x00\x00sNaPpy"), SNAPPY_FRAME_BAD_NAME,
      "" },
    { "a longer name", BYTES("\xff\x07\x00\x00sNaPpYY"), SNAPPY_FRAME_BAD_NAME,
      "" },
    { "unskippable", BYTES(NAME ABCD "\x02\x00\x00\x00"), SNAPPY_FRAME_BAD_TYPE,
      "abcd" },
    { "the last unskippable", BYTES(NAME "\x7f\x00\x00\x00"),
      SNAPPY_FRAME_BAD_TYPE, "" },
    { "too short for a check",
      BYTES(NAME "\x01\x03\x00\x00"
                 "abc"),
      SNAPPY_FRAME_BAD_LENGTH, "" },
    { "plain and too long", BYTES(NAME "\x01\x05\x00\x01"),
      SNAPPY_FRAME_BAD_LENGTH, "" },
    { "packed and too long", BYTES(NAME "\x00\xcf\x2a\x01"),
      SNAPPY_FRAME_BAD_LENGTH, "" },
    { "unpacks to 65537",
      BYTES(NAME "\x00\x08\x00\x00\x00\x00\x00\x00"
                 "\x81\x80\x04\x00"),
      SNAPPY_FRAME_BAD_LENGTH, "" },
    { "no snappy", BYTES(NAME "\x00\x06\x00\x00\x00\x00\x00\x00\xff\xff"),
      SNAPPY_FRAME_BAD_DATA, "" },
    { "packed nothing", BYTES(NAME "\x00\x04\x00\x00\x00\x00\x00\x00"),
      SNAPPY_FRAME_BAD_DATA, "" },
    { "copies from before the start",
      BYTES(NAME "\x00\x07\x00\x00\x68\x10\xe6\xb6"
                 "\x04\x01\x01"),
      SNAPPY_FRAME_BAD_DATA, "" },
    { "a wrong check",
      BYTES(NAME ABCD "\x01\x08\x00\x00\x68\x10\xe6\xb7"
                      "abcd"),
      SNAPPY_FRAME_BAD_CHECK, "abcd" },
    { "not masked",
      BYTES(NAME "\x01\x08\x00\x00\x11\xcd\x82\x92"
                 "abcd"),
      SNAPPY_FRAME_BAD_CHECK, "" },
    { "cut in the head", BYTES(NAME ABCD "\x01\x08"), SNAPPY_FRAME_CUT,
      "abcd" },
    { "cut in the bytes",
      BYTES(NAME ABCD "\x01\x08\x00\x00\x68\x10\xe6"
                      "\xb6"
                      "abc"),
      SNAPPY_FRAME_CUT, "abcd" },
    { "cut in padding",
      BYTES(NAME ABCD "\xfe\xff\xff\xff"
                      "abc"),
      SNAPPY_FRAME_CUT, "abcd" },
    { "cut in the name", BYTES("\xff\x06\x00\x00sNaP"), SNAPPY_FRAME_CUT, "" },
};

static void test_golden(void **state)
{
    static const size_t steps[] = { 1, 2, 3, 5, 7, 11, 4096 };
    static struct plain plain;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(golden); i++) {
        CASE(golden[i].name);
        for (size_t s = 0; s < ARRAY_LEN(steps); s++) {
            assert_int_equal(
                read_all(golden[i].in, golden[i].len, steps[s], &plain),
                golden[i].want);
            assert_int_equal(plain.len, strlen(golden[i].plain));
            assert_memory_equal(plain.bytes, golden[i].plain, plain.len);
        }
    }
}

static void append(uint8_t *stream, size_t *len,
                   const struct snappy_frame_chunk *chunk)
{
    memcpy(stream + *len, chunk->head, sizeof(chunk->head));
    memcpy(stream + *len + sizeof(chunk->head), chunk->body, chunk->body_len);
    *len += sizeof(chunk->head) + chunk->body_len;
}

static void test_there_and_back(void **state)
{
    static const size_t steps[] = { 1, 13, 4096, 65535, SIZE_MAX };
    static struct snappy_frame_writer writer;
    static struct plain plain;
    static uint8_t data[4 * BLOCK], stream[8 * BLOCK];
    struct snappy_frame_chunk chunk;
    size_t len = sizeof(snappy_frame_name);
    uint64_t x = 1;

    (void)state;
    for (size_t i = 0; i < BLOCK; i++) { /* cannot be packed */
        x = x * UINT64_C(6364136223846793005) + 1442695040888963407U;
        data[i] = (uint8_t)(x >> 56);
    }
    memset(data + BLOCK, 'x', BLOCK);           /* can */
    memset(data + 3 * (size_t)BLOCK, 'y', 777); /* zeros before these */
    memcpy(stream, snappy_frame_name, len);
    snappy_frame_writer_init(&writer);

    snappy_frame_write(&writer, data, BLOCK, &chunk);
    assert_int_equal(chunk.head[0], 1);
    assert_ptr_equal(chunk.body, data);
    append(stream, &len, &chunk);
    snappy_frame_write(&writer, data + BLOCK, BLOCK, &chunk);
    assert_int_equal(chunk.head[0], 0);
    assert_true(chunk.body_len < 4096);
    append(stream, &len, &chunk);
    snappy_frame_write(&writer, NULL, BLOCK, &chunk);
    assert_ptr_equal(chunk.body, writer.zero_packed);
    append(stream, &len, &chunk);
    snappy_frame_write(&writer, data + 3 * (size_t)BLOCK, 777, &chunk);
    append(stream, &len, &chunk);
    snappy_frame_write(&writer, NULL, BLOCK, &chunk); /* known again */
    append(stream, &len, &chunk);
    snappy_frame_write(&writer, NULL, 1000, &chunk);
    append(stream, &len, &chunk);

    for (size_t s = 0; s < ARRAY_LEN(steps); s++) {
        assert_int_equal(read_all(stream, len, steps[s], &plain),
                         SNAPPY_FRAME_MORE);
        assert_int_equal(plain.len, 4 * BLOCK + 777 + 1000);
        assert_int_equal(plain.zero_blocks, 3);
        assert_memory_equal(plain.bytes, data, 3 * (size_t)BLOCK + 777);
    }
    writer.stores = true;
    snappy_frame_write(&writer, data + BLOCK, BLOCK, &chunk);
    assert_int_equal(chunk.head[0], 1);
    assert_ptr_equal(chunk.body, data + BLOCK);
    snappy_frame_write(&writer, NULL, 4096, &chunk);
    assert_int_equal(chunk.head[0], 0);
    /* One bit of the chunk of zeros that is known: no longer known. */
    stream[len - 500] ^= 1;
    assert_int_not_equal(read_all(stream, len, SIZE_MAX, &plain),
                         SNAPPY_FRAME_MORE);
}

/* Reads a stream whose chunks' bodies are put where they belong, as far as
 * they can be; *placed counts those. */
static enum snappy_frame_result read_straight(const uint8_t *in, size_t len,
                                              struct plain *plain,
                                              unsigned *placed)
{
    static struct snappy_frame_reader reader;
    static uint8_t out[BLOCK];

    snappy_frame_reader_init(&reader);
    plain->len = plain->zero_blocks = *placed = 0;
    while (len > 0) {
        size_t left = len < 300 ? len : 300, n = left, missing = 0;
        struct snappy_frame_block block = { 0, false };
        enum snappy_frame_result r;
        uint8_t *to;

        r = snappy_frame_read(&reader, &in, &left, out, &block);
        len -= n - left;
        to = r == SNAPPY_FRAME_MORE ? snappy_frame_place(&reader, out, &missing)
                                    : NULL;
        if (to && missing > len)
            break;
        if (to) {
            memcpy(to, in, missing);
            in += missing;
            len -= missing;
            r = snappy_frame_placed(&reader, out, &block);
            ++*placed;
        }
        if (r != SNAPPY_FRAME_MORE && r != SNAPPY_FRAME_BLOCK)
            return r;
        memcpy(plain->bytes + plain->len, out, block.is_zero ? 0 : block.len);
        plain->len += block.len;
        plain->zero_blocks += block.is_zero;
    }
    return snappy_frame_end(&reader);
}

static void test_straight(void **state)
{
    static struct snappy_frame_writer writer;
    static struct plain plain;
    static uint8_t data[3 * BLOCK], stream[8 * BLOCK];
    size_t len = sizeof(snappy_frame_name), second;
    struct snappy_frame_chunk chunk;
    unsigned placed;
    uint64_t x = 1;

    (void)state;
    for (size_t i = 0; i < BLOCK + BLOCK / 2; i++) {
        x = x * UINT64_C(6364136223846793005) + 1442695040888963407U;
        data[i] = (uint8_t)(x >> 56);
    }
    memcpy(stream, snappy_frame_name, len);
    snappy_frame_writer_init(&writer);
    snappy_frame_write(&writer, data, BLOCK, &chunk);
    append(stream, &len, &chunk);
    second = len; /* half of it can be packed */
    snappy_frame_write(&writer, data + BLOCK, BLOCK, &chunk);
    assert_int_equal(chunk.head[0], 0);
    append(stream, &len, &chunk);
    writer.stores = true; /* zeros, by somebody who does not look */
    snappy_frame_write(&writer, data + 2 * (size_t)BLOCK, BLOCK, &chunk);
    append(stream, &len, &chunk);
    snappy_frame_write(&writer, data, 3000, &chunk); /* not worth it */
    append(stream, &len, &chunk);

    assert_int_equal(read_straight(stream, len, &plain, &placed),
                     SNAPPY_FRAME_MORE);
    assert_int_equal(placed, 3);
    assert_int_equal(plain.len, 3 * BLOCK + 3000);
    assert_int_equal(plain.zero_blocks, 1);
    assert_memory_equal(plain.bytes, data, 2 * (size_t)BLOCK);
    assert_memory_equal(plain.bytes + 3 * (size_t)BLOCK, data, 3000);
    assert_int_equal(read_straight(stream, second - 1, &plain, &placed),
                     SNAPPY_FRAME_CUT);
    stream[second - 1] ^= 1;
    assert_int_equal(read_straight(stream, len, &plain, &placed),
                     SNAPPY_FRAME_BAD_CHECK);
    stream[second - 1] ^= 1;
    stream[second + SNAPPY_FRAME_HEAD_BYTES + 5000] ^= 1; /* packed */
    assert_int_not_equal(read_straight(stream, len, &plain, &placed),
                         SNAPPY_FRAME_MORE);
    assert_int_equal(plain.len, BLOCK);
}

static void test_texts(void **state)
{
    (void)state;
    for (int r = SNAPPY_FRAME_BAD_NAME; r <= SNAPPY_FRAME_EMPTY; r++)
        assert_string_not_equal(snappy_frame_text((enum snappy_frame_result)r),
                                "no fault");
    assert_string_equal(snappy_frame_text(SNAPPY_FRAME_MORE), "no fault");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_crc),
        cmocka_unit_test(test_golden),
        cmocka_unit_test(test_there_and_back),
        cmocka_unit_test(test_straight),
        cmocka_unit_test(test_texts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
