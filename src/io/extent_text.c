#include "io/extent_text.h"

#include <inttypes.h>
#include <string.h>

/* ---- the text ---- */

static int take_char(struct extent_text *text)
{
    int c = getc_unlocked(text->in);

    text->at += c != EOF;
    return c;
}

static bool is_space(int c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

int extent_text_peek(struct extent_text *text)
{
    int c;

    do
        c = take_char(text);
    while (is_space(c));
    if (c != EOF) {
        ungetc(c, text->in);
        text->at--;
    }
    return c;
}

bool extent_text_mark(struct extent_text *text, char mark)
{
    if (extent_text_peek(text) != mark)
        return false;
    take_char(text);
    return true;
}

static bool put_char(struct extent_text *text, size_t *len, int c)
{
    if (c <= 0 || *len + 1 >= sizeof(text->item))
        return false;
    text->item[(*len)++] = (char)c;
    text->item[*len] = '\0';
    return true;
}

static bool take_quoted(struct extent_text *text, size_t *len)
{
    for (;;) {
        int c = take_char(text);

        if (!put_char(text, len, c))
            return false;
        if (c == '"')
            return true;
        if (c == '\\' && !put_char(text, len, take_char(text)))
            return false;
    }
}

bool extent_text_scalar(struct extent_text *text)
{
    int c = extent_text_peek(text);
    size_t len = 0;

    if (c == '"')
        return put_char(text, &len, take_char(text)) && take_quoted(text, &len);
    while (c != EOF && !strchr(",:{}[] \t\r\n\"", c)) {
        if (!put_char(text, &len, take_char(text)))
            return false;
        c = getc_unlocked(text->in);
        if (c != EOF)
            ungetc(c, text->in);
    }
    return len > 0;
}

static bool skip_comment(struct extent_text *text)
{
    unsigned dashes = 0;
    int c;

    while ((c = take_char(text)) != EOF) {
        if (c == '>' && dashes >= 2)
            return true;
        dashes = c == '-' ? dashes + 1 : 0;
    }
    return false;
}

/* One tag, or what looks like one.  item is empty after a comment. */
static bool take_tag(struct extent_text *text)
{
    size_t len = 0;
    int c;

    text->item[0] = '\0';
    while ((c = take_char(text)) != '>') {
        if (!put_char(text, &len, c))
            return false;
        if (strcmp(text->item, "!--") == 0) {
            text->item[0] = '\0';
            return skip_comment(text);
        }
    }
    return true;
}

bool extent_text_tag(struct extent_text *text)
{
    do
        if (!extent_text_mark(text, '<') || !take_tag(text))
            return false;
    while (text->item[0] == '\0' || text->item[0] == '?');
    return true;
}

/* ---- the entries ---- */

int extent_text_refuse(const struct extent_text *text, const char *why,
                       struct error *err)
{
    return error_set(err, ERROR_USAGE, 0,
                     "%s: entry %" PRIu64 ", about byte %" PRIu64 ", %s",
                     text->options->path, text->options->entries + 1, text->at,
                     why);
}

static const char *entry_fault(const struct extent_text *text, uint64_t offset,
                               uint64_t length)
{
    uint64_t disk = text->options->disk_bytes;

    if (length == 0)
        return "is empty";
    if (offset > disk || length > disk - offset)
        return "reaches beyond the end of the disk";
    if (offset >= text->end)
        return NULL;
    return offset < text->start ? "is out of order: it begins before the "
                                  "entry in front of it"
                                : "overlaps the entry in front of it";
}

int extent_text_entry(struct extent_text *text, uint64_t offset,
                      uint64_t length, bool is_listed, struct error *err)
{
    struct extent_file_options *options = text->options;
    const char *why = entry_fault(text, offset, length);

    if (why)
        return error_set_at(
            err, ERROR_USAGE, 0, offset,
            "%s: entry %" PRIu64 ", %" PRIu64 " bytes at %" PRIu64 ", %s",
            options->path, options->entries + 1, length, offset, why);
    options->entries++;
    text->start = offset;
    text->end = offset + length;
    if (!is_listed)
        return 0;
    options->bytes += length;
    return options->add(options->opaque, offset, length, err);
}
