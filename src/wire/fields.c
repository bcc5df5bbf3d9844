#include "wire/fields.h"

#include <string.h>

#include "base/bytes.h"
#include "base/printable.h"

void fields_put16(struct fields_writer *w, uint16_t v)
{
    put_be16(w->at, v);
    w->at += sizeof(v);
}

void fields_put32(struct fields_writer *w, uint32_t v)
{
    put_be32(w->at, v);
    w->at += sizeof(v);
}

void fields_put64(struct fields_writer *w, uint64_t v)
{
    put_be64(w->at, v);
    w->at += sizeof(v);
}

void fields_put_raw(struct fields_writer *w, const uint8_t *bytes, size_t len)
{
    if (len > 0) /* bytes may be NULL otherwise */
        memcpy(w->at, bytes, len);
    w->at += len;
}

void fields_put_string(struct fields_writer *w, const char *text,
                       size_t capacity)
{
    char *out = (char *)w->at + 2;
    size_t len = strlen(printable_escape(out, capacity, text));

    fields_put16(w, (uint16_t)len);
    w->at += len;
}

void fields_put_option(struct fields_writer *w, uint16_t tag, uint16_t len)
{
    fields_put16(w, tag);
    fields_put16(w, len);
}

const uint8_t *fields_take(struct fields_reader *r, size_t len)
{
    const uint8_t *at = r->at;

    if (r->fault == MESSAGE_OK && len > r->left)
        r->fault = MESSAGE_SHORT;
    if (r->fault != MESSAGE_OK)
        return NULL;
    r->at += len;
    r->left -= len;
    return at;
}

uint16_t fields_take16(struct fields_reader *r)
{
    const uint8_t *p = fields_take(r, 2);

    return p ? get_be16(p) : 0;
}

uint32_t fields_take32(struct fields_reader *r)
{
    const uint8_t *p = fields_take(r, 4);

    return p ? get_be32(p) : 0;
}

uint64_t fields_take64(struct fields_reader *r)
{
    const uint8_t *p = fields_take(r, 8);

    return p ? get_be64(p) : 0;
}

void fields_take_raw(struct fields_reader *r, uint8_t *out, size_t len)
{
    const uint8_t *p = fields_take(r, len);

    if (p)
        memcpy(out, p, len);
}

void fields_check(struct fields_reader *r, bool valid)
{
    if (r->fault == MESSAGE_OK && !valid)
        r->fault = MESSAGE_BAD_VALUE;
}

/* A peer must not be able to send escape sequences to our terminal or log, nor
 * bytes that are not valid in JSON or in a metric's label. */
static bool is_printable(const char *text, size_t len)
{
    size_t n;

    for (const char *end = text + len; text < end; text += n)
        if ((n = printable_char_len(text)) == 0)
            return false;
    return true;
}

void fields_take_string(struct fields_reader *r, char *out, size_t capacity)
{
    size_t len = fields_take16(r);
    const uint8_t *p;

    fields_check(r, len < capacity);
    p = fields_take(r, len);
    if (!p)
        len = 0;
    else
        memcpy(out, p, len);
    out[len] = '\0';
    fields_check(r, is_printable(out, len));
}
