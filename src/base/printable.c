#include "base/printable.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static bool is_continuation(unsigned char c)
{
    return (c & 0xc0) == 0x80;
}

/* Returns the length by the first byte, and its bits of the code point. */
static size_t announced(unsigned char c, uint32_t *point)
{
    if (c >= 0xc2 && c <= 0xdf) {
        *point = c & 0x1fU;
        return 2;
    }
    if (c >= 0xe0 && c <= 0xef) {
        *point = c & 0x0fU;
        return 3;
    }
    if (c >= 0xf0 && c <= 0xf4) {
        *point = c & 0x07U;
        return 4;
    }
    return 0;
}

size_t printable_char_len(const char *text)
{
    static const uint32_t min[] = { 0, 0, 0xa0, 0x800, 0x10000 };
    const unsigned char *p = (const unsigned char *)text;
    uint32_t point = 0;
    size_t n;

    if (p[0] < 0x80)
        return p[0] >= 0x20 && p[0] != 0x7f;
    n = announced(p[0], &point);
    for (size_t i = 1; i < n; i++) {
        if (!is_continuation(p[i]))
            return 0;
        point = point << 6 | (p[i] & 0x3fU);
    }
    /* U+0080..9f are controls; shorter forms and surrogates are not UTF-8. */
    if (point < min[n] || point > 0x10ffff ||
        (point >= 0xd800 && point <= 0xdfff))
        return 0;
    return n;
}

const char *printable_escape(char *buf, size_t len, const char *text)
{
    size_t used = 0;

    while (*text != '\0') {
        size_t n = printable_char_len(text);

        if (used + (n > 0 ? n : strlen("\\xNN")) >= len)
            break;
        if (n > 0) {
            memcpy(buf + used, text, n);
            used += n;
            text += n;
        } else {
            used += (size_t)snprintf(buf + used, len - used, "\\x%02x",
                                     (unsigned char)*text);
            text++;
        }
    }
    buf[used] = '\0';
    return buf;
}
