#include "http/multipart.h"

#include <string.h>

/* Does text begin with word, ignoring case?  word is in lower case. */
static bool begins_with(const char *text, const char *word)
{
    for (; *word != '\0'; text++, word++)
        if ((*text >= 'A' && *text <= 'Z' ? *text + ('a' - 'A') : *text) !=
            *word)
            return false;
    return true;
}

/*
 * Finds the value of parameter name ("boundary=", in lower case) after the
 * first ";" of a header; returns its length, or 0 if there is none.
 */
static size_t find_parameter(const char *header, const char *name,
                             const char **value)
{
    const char *at = header;

    while ((at = strchr(at, ';'))) {
        const char *end;

        at++;
        at += strspn(at, " \t");
        if (!begins_with(at, name))
            continue;
        at += strlen(name);
        if (*at == '"') {
            end = strchr(++at, '"');
            if (!end)
                return 0;
        } else {
            end = at + strcspn(at, "; \t");
        }
        *value = at;
        return (size_t)(end - at);
    }
    return 0;
}

bool multipart_init(struct multipart *form, const char *content_type)
{
    const char *boundary;
    size_t len;

    *form = (struct multipart){ .state = MULTIPART_IN_PART };
    if (!begins_with(content_type, "multipart/form-data"))
        return false;
    len = find_parameter(content_type, "boundary=", &boundary);
    if (len == 0 || len > MULTIPART_BOUNDARY_BYTES)
        return false;
    memcpy(form->delimiter, "\r\n--", 4);
    memcpy(form->delimiter + 4, boundary, len);
    form->delimiter_len = len + 4;
    form->matched = 2; /* the first boundary may begin the body */
    return memchr(boundary, '\r', len) == NULL;
}

bool multipart_has_file(const struct multipart *form)
{
    return form->has_file;
}

/* ---- a part's headers ---- */

static void take_header(struct multipart *form)
{
    const char *value;
    size_t len;

    form->line[form->line_len] = '\0';
    if (!begins_with(form->line, "content-disposition:"))
        return;
    len = find_parameter(form->line, "name=", &value);
    if (len == 4 && memcmp(value, "file", 4) == 0 && !form->has_file)
        form->is_file = form->has_file = true;
}

static void begin_headers(struct multipart *form)
{
    form->state = MULTIPART_HEADERS;
    form->is_file = false;
    form->is_empty_line = true;
    form->line_len = form->headers_len = 0;
}

/* Reads one byte of the headers. */
static void read_header(struct multipart *form, char c)
{
    if (++form->headers_len > MULTIPART_HEADERS_BYTES) {
        form->state = MULTIPART_BAD;
        return;
    }
    if (c != '\n') {
        if (c != '\r')
            form->is_empty_line = false;
        if (c != '\r' && form->line_len < sizeof(form->line) - 1)
            form->line[form->line_len++] = c;
        return;
    }
    if (form->is_empty_line) {
        form->state = MULTIPART_IN_PART;
        return;
    }
    take_header(form);
    form->line_len = 0;
    form->is_empty_line = true;
}

/* ---- boundaries ---- */

/* Reads one byte after a boundary. */
static void read_behind(struct multipart *form, char c)
{
    switch (form->state) {
    case MULTIPART_BEHIND:
        form->state = c == '-' ? MULTIPART_BEHIND_DASH : MULTIPART_PADDING;
        if (c == '-')
            break;
        __attribute__((fallthrough));
    case MULTIPART_PADDING:
        if (c == '\n')
            begin_headers(form);
        else if (c != ' ' && c != '\t' && c != '\r')
            form->state = MULTIPART_BAD;
        break;
    case MULTIPART_BEHIND_DASH:
        form->state = c == '-' ? MULTIPART_OVER : MULTIPART_BAD;
        break;
    case MULTIPART_HEADERS: read_header(form, c); break;
    case MULTIPART_IN_PART:
    case MULTIPART_OVER:
    case MULTIPART_BAD: break;
    }
}

/*
 * Reads content of a part, up to where a boundary may begin.  A boundary has a
 * CR only at its start, so a failed match contains no start of another.
 * Returns true if *data is part of the file.
 */
static bool read_part(struct multipart *form, const char *in, size_t len,
                      size_t *used, const char **data, size_t *data_len)
{
    const char *cr;

    if (form->matched > 0) {
        while (*used < len && form->matched < form->delimiter_len &&
               in[*used] == form->delimiter[form->matched]) {
            form->matched++;
            (*used)++;
        }
        if (form->matched == form->delimiter_len) {
            form->matched = 0;
            form->state = MULTIPART_BEHIND;
            return false;
        }
        if (*used == len)
            return false;
        *data = form->delimiter;
        *data_len = form->matched;
        form->matched = 0;
        return form->is_file;
    }
    cr = memchr(in + *used, '\r', len - *used);
    *data = in + *used;
    *data_len = cr ? (size_t)(cr - in) - *used : len - *used;
    *used += *data_len;
    if (cr) {
        (*used)++;
        form->matched = 1;
    }
    return form->is_file && *data_len > 0;
}

enum multipart_event multipart_feed(struct multipart *form, const char *in,
                                    size_t len, size_t *used, const char **data,
                                    size_t *data_len)
{
    *used = 0;
    while (form->state != MULTIPART_OVER && form->state != MULTIPART_BAD) {
        if (*used == len)
            return MULTIPART_MORE;
        if (form->state != MULTIPART_IN_PART)
            read_behind(form, in[(*used)++]);
        else if (read_part(form, in, len, used, data, data_len))
            return MULTIPART_DATA;
    }
    if (form->state == MULTIPART_BAD)
        return MULTIPART_BROKEN;
    *used = len;
    return MULTIPART_END;
}
