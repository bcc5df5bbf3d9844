#include "output/json_writer.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/printable.h"

#define TAIL_BYTES 3  /* quote, brace, NUL: always left free */
#define STEP_BYTES 12 /* longest escape of one character, with margin */

static bool has_room(const struct json *json, size_t need)
{
    return need + TAIL_BYTES <= json->len - json->used;
}

static void append(struct json *json, const char *text, size_t n)
{
    if (!has_room(json, n))
        return;
    memcpy(json->buf + json->used, text, n);
    json->used += n;
    json->buf[json->used] = '\0';
}

/* Writes the key; false: it does not fit with a value of value_len. */
static bool add_key(struct json *json, const char *key, size_t value_len)
{
    if (!has_room(json, strlen(key) + sizeof(",\"\":") + value_len))
        return false;
    if (json->used > 1)
        append(json, ",", 1);
    append(json, "\"", 1);
    append(json, key, strlen(key));
    append(json, "\":", 2);
    return true;
}

static void add_plain(struct json *json, const char *key, const char *value)
{
    if (add_key(json, key, strlen(value)))
        append(json, value, strlen(value));
}

/* Writes a character of text, escaped; returns its length in text. */
static size_t append_character(struct json *json, const char *text)
{
    unsigned char c = (unsigned char)text[0];
    size_t n = printable_char_len(text);
    char escape[8];

    if (c == '"' || c == '\\') {
        append(json, "\\", 1);
        append(json, text, 1);
        return 1;
    }
    if (n > 0) {
        append(json, text, n);
        return n;
    }
    snprintf(escape, sizeof(escape), "\\u%04x", c < 0x80 ? c : 0xfffdU);
    append(json, escape, strlen(escape));
    return 1;
}

void json_open(struct json *json, char *buf, size_t len)
{
    assert(len >= 128);
    *json = (struct json){ .buf = buf, .len = len };
    append(json, "{", 1);
}

void json_add_text(struct json *json, const char *key, const char *value)
{
    if (!value) {
        json_add_null(json, key);
        return;
    }
    if (!add_key(json, key, STEP_BYTES))
        return;
    append(json, "\"", 1);
    while (*value != '\0' && has_room(json, STEP_BYTES))
        value += append_character(json, value);
    json->buf[json->used++] = '"'; /* TAIL_BYTES reserves its space */
}

void json_add_number(struct json *json, const char *key, uint64_t value)
{
    char text[32];

    snprintf(text, sizeof(text), "%" PRIu64, value);
    add_plain(json, key, text);
}

void json_add_thousandths(struct json *json, const char *key, uint64_t value)
{
    char text[32];

    snprintf(text, sizeof(text), "%" PRIu64 ".%03" PRIu64, value / 1000,
             value % 1000);
    add_plain(json, key, text);
}

void json_add_bool(struct json *json, const char *key, bool value)
{
    add_plain(json, key, value ? "true" : "false");
}

void json_add_null(struct json *json, const char *key)
{
    add_plain(json, key, "null");
}

const char *json_close(struct json *json)
{
    json->buf[json->used++] = '}';
    json->buf[json->used] = '\0';
    return json->buf;
}
