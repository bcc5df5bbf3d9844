#include "wire/pairing.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "wire/crc32c.h"

#define CHECK_BYTES  3U
#define ID_DIGITS    8U
#define PREFIX_CHARS (sizeof(PAIRING_PREFIX) - 1)
#define RAW_BYTES    (PAIRING_ID_BYTES + PAIRING_KEY_BYTES + CHECK_BYTES)

_Static_assert(RAW_BYTES * 8 == PAIRING_DIGITS * 5, "no bits to spare");
_Static_assert(PAIRING_ID_BYTES * 8 == ID_DIGITS * 5, "the id's own digits");

static const char digits[] = "0123456789abcdefghjkmnpqrstvwxyz";

/* The compiler may remove a memset() of memory that is not read again. */
static void wipe(void *memory, size_t len)
{
    volatile uint8_t *p = memory;

    while (len-- > 0)
        *p++ = 0;
}

static void to_base32(const uint8_t *bytes, size_t len, char *out)
{
    unsigned bits = 0, held = 0;

    for (size_t i = 0; i < len; i++) {
        held = (held << 8 | bytes[i]) & 0xfffU;
        for (bits += 8; bits >= 5; bits -= 5)
            *out++ = digits[held >> (bits - 5) & 31U];
    }
}

/* The value of a base32 character, with common misreadings; -1 if invalid. */
static int digit_value(char c)
{
    const char *at;

    if (c >= 'A' && c <= 'Z')
        c = (char)(c - 'A' + 'a');
    if (c == 'o')
        c = '0';
    if (c == 'i' || c == 'l')
        c = '1';
    at = c == '\0' ? NULL : strchr(digits, c);
    return at ? (int)(at - digits) : -1;
}

/* Returns false if text contains a character that is in no code. */
static bool from_base32(const char *text, uint8_t out[RAW_BYTES])
{
    unsigned bits = 0, held = 0;

    for (size_t i = 0; i < PAIRING_DIGITS; i++) {
        int value = digit_value(text[i]);

        if (value < 0)
            return false;
        held = (held << 5 | (unsigned)value) & 0xfffU;
        bits += 5;
        if (bits >= 8) {
            bits -= 8;
            *out++ = (uint8_t)(held >> bits);
        }
    }
    return true;
}

static void put_check(uint8_t raw[RAW_BYTES], uint8_t check[CHECK_BYTES])
{
    uint32_t crc = crc32c(0, raw, RAW_BYTES - CHECK_BYTES);

    for (unsigned i = 0; i < CHECK_BYTES; i++)
        check[i] = (uint8_t)(crc >> (24 - 8 * i));
}

bool pairing_looks_like(const char *text)
{
    return strncmp(text, PAIRING_PREFIX, PREFIX_CHARS) == 0 ||
           strncmp(text, "CW1-", PREFIX_CHARS) == 0;
}

void pairing_encode(const struct pairing *pairing,
                    char code[PAIRING_CODE_CHARS])
{
    uint8_t raw[RAW_BYTES];

    memcpy(raw, pairing->id, PAIRING_ID_BYTES);
    memcpy(raw + PAIRING_ID_BYTES, pairing->key, PAIRING_KEY_BYTES);
    put_check(raw, raw + RAW_BYTES - CHECK_BYTES);
    memcpy(code, PAIRING_PREFIX, PREFIX_CHARS);
    to_base32(raw, RAW_BYTES, code + PREFIX_CHARS);
    code[PREFIX_CHARS + PAIRING_DIGITS] = '\0';
    wipe(raw, sizeof(raw));
}

static enum pairing_result decode_raw(const char *text, uint8_t raw[RAW_BYTES],
                                      struct pairing *pairing)
{
    uint8_t check[CHECK_BYTES];

    if (!from_base32(text, raw))
        return PAIRING_BAD_CHARACTER;
    put_check(raw, check);
    if (memcmp(check, raw + RAW_BYTES - CHECK_BYTES, CHECK_BYTES) != 0)
        return PAIRING_BAD_CHECK;
    memcpy(pairing->id, raw, PAIRING_ID_BYTES);
    memcpy(pairing->key, raw + PAIRING_ID_BYTES, PAIRING_KEY_BYTES);
    return PAIRING_OK;
}

enum pairing_result pairing_decode(const char *text, size_t len,
                                   struct pairing *pairing)
{
    uint8_t raw[RAW_BYTES];
    enum pairing_result result;

    if (len < PREFIX_CHARS || !pairing_looks_like(text))
        return PAIRING_NO_PREFIX;
    if (len != PREFIX_CHARS + PAIRING_DIGITS)
        return PAIRING_BAD_LENGTH;
    result = decode_raw(text + PREFIX_CHARS, raw, pairing);
    wipe(raw, sizeof(raw));
    return result;
}

const char *pairing_result_text(enum pairing_result result)
{
    switch (result) {
    case PAIRING_OK: return "is good";
    case PAIRING_NO_PREFIX: return "does not begin with " PAIRING_PREFIX;
    case PAIRING_BAD_LENGTH:
        return "is incomplete: 64 characters follow " PAIRING_PREFIX;
    case PAIRING_BAD_CHARACTER: return "has a character that is in no code";
    case PAIRING_BAD_CHECK: return "is mistyped: its check does not fit";
    }
    return "";
}

const char *pairing_identity(const struct pairing *pairing,
                             char out[PAIRING_IDENT_CHARS])
{
    char id[ID_DIGITS + 1] = { 0 };

    to_base32(pairing->id, PAIRING_ID_BYTES, id);
    snprintf(out, PAIRING_IDENT_CHARS, "clonewire-pair-%s", id);
    return out;
}
