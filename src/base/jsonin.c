#include "base/jsonin.h"

#include <string.h>

#define DEPTH_MAX 32U

static void skip_space(struct jsonin *in)
{
    in->at += strspn(in->at, " \t\r\n");
}

bool jsonin_mark(struct jsonin *in, char mark)
{
    skip_space(in);
    if (*in->at != mark || mark == '\0')
        return false;
    in->at++;
    return true;
}

bool jsonin_end(struct jsonin *in)
{
    skip_space(in);
    return *in->at == '\0';
}

/* ---- strings ---- */

struct text_out {
    char *out; /* NULL: discard */
    size_t left;
};

static bool put(struct text_out *text, unsigned char c)
{
    if (!text->out)
        return true;
    if (c == '\0' || text->left < 2)
        return false;
    *text->out++ = (char)c;
    text->left--;
    return true;
}

/* Writes UTF-8; surrogates are written separately, as no caller needs
 * pairs. */
static bool put_code(struct text_out *text, unsigned code)
{
    if (code < 0x80)
        return put(text, (unsigned char)code);
    if (code < 0x800)
        return put(text, (unsigned char)(0xc0 | code >> 6)) &&
               put(text, (unsigned char)(0x80 | (code & 0x3f)));
    return put(text, (unsigned char)(0xe0 | code >> 12)) &&
           put(text, (unsigned char)(0x80 | (code >> 6 & 0x3f))) &&
           put(text, (unsigned char)(0x80 | (code & 0x3f)));
}

static bool take_hex(struct jsonin *in, unsigned *code)
{
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";

    *code = 0;
    for (int i = 0; i < 4; i++) {
        const char *digit = *in->at ? strchr(digits, *in->at) : NULL;

        if (!digit)
            return false;
        *code = *code << 4 | (unsigned)((digit - digits) % 16);
        in->at++;
    }
    return true;
}

static bool take_escape(struct jsonin *in, struct text_out *text)
{
    static const char names[] = "\"\\/bfnrt";
    static const char means[] = "\"\\/\b\f\n\r\t";
    const char *name;
    unsigned code;

    if (*in->at == 'u') {
        in->at++;
        return take_hex(in, &code) && put_code(text, code);
    }
    name = *in->at ? strchr(names, *in->at) : NULL;
    if (!name)
        return false;
    in->at++;
    return put(text, (unsigned char)means[name - names]);
}

static bool take_text(struct jsonin *in, struct text_out *text)
{
    if (!jsonin_mark(in, '"'))
        return false;
    while (*in->at != '"') {
        unsigned char c = (unsigned char)*in->at;

        if (c < 0x20)
            return false; /* also at the end of the text */
        in->at++;
        if (!(c == '\\' ? take_escape(in, text) : put(text, c)))
            return false;
    }
    in->at++;
    return true;
}

bool jsonin_text(struct jsonin *in, char *out, size_t len)
{
    struct text_out text = { out, len };

    if (len == 0 || !take_text(in, &text))
        return false;
    *text.out = '\0';
    return true;
}

/* ---- numbers ---- */

bool jsonin_number(struct jsonin *in, uint64_t *out)
{
    const char *begin;

    skip_space(in);
    begin = in->at;
    *out = 0;
    for (; *in->at >= '0' && *in->at <= '9'; in->at++)
        if (__builtin_mul_overflow(*out, 10, out) ||
            __builtin_add_overflow(*out, (uint64_t)(*in->at - '0'), out))
            return false;
    if (in->at == begin || (*begin == '0' && in->at > begin + 1))
        return false;
    /* Only integers: 1e3 must not be read as 1. */
    return strspn(in->at, ".eE") == 0;
}

/* ---- anything ---- */

static bool skip_word(struct jsonin *in)
{
    static const char *const words[] = { "true", "false", "null" };
    size_t len;

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        len = strlen(words[i]);
        if (strncmp(in->at, words[i], len) == 0) {
            in->at += len;
            return true;
        }
    }
    len = strspn(in->at, "+-.0123456789eE");
    in->at += len;
    return len > 0;
}

/* A string, a word or a number. */
static bool skip_plain(struct jsonin *in)
{
    struct text_out nowhere = { NULL, 0 };

    skip_space(in);
    return *in->at == '"' ? take_text(in, &nowhere) : skip_word(in);
}

/*
 * Does not recurse: closers[] holds the closing bracket of each open one.
 * Does not check the position of commas and colons: a skipped value does not
 * need it.
 */
bool jsonin_skip(struct jsonin *in)
{
    char closers[DEPTH_MAX];
    unsigned depth = 0;

    do {
        if (jsonin_mark(in, '{') || jsonin_mark(in, '[')) {
            if (depth == DEPTH_MAX)
                return false;
            closers[depth++] = in->at[-1] == '{' ? '}' : ']';
        } else if (depth > 0 && jsonin_mark(in, closers[depth - 1])) {
            depth--;
        } else if (!(depth > 0 &&
                     (jsonin_mark(in, ',') || jsonin_mark(in, ':'))) &&
                   !skip_plain(in)) {
            return false;
        }
    } while (depth > 0);
    return true;
}
