/*
 * multipart.h - the part named "file" out of a multipart/form-data body (RFC 7578),
 * as it comes.  Pure; holds back nothing but what may be a boundary.
 */
#ifndef CW_HTTP_MULTIPART_H
#define CW_HTTP_MULTIPART_H

#include <stdbool.h>
#include <stddef.h>

#define FORM_BOUNDARY_BYTES 70U   /* by RFC 2046, at most */
#define FORM_HEADERS_BYTES  8192U /* of one part, at most */

enum form_event {
    FORM_MORE,   /* all was used */
    FORM_DATA,   /* *data is some of the file */
    FORM_END,    /* the last boundary has come; what follows means nothing */
    FORM_BROKEN, /* no form: for ever */
};

enum form_state {
    FORM_IN_PART,     /* or in front of the first */
    FORM_BEHIND,      /* a boundary: another part, or the end? */
    FORM_BEHIND_DASH, /* "-" of "--" has come */
    FORM_PADDING,     /* up to the end of the boundary's line */
    FORM_HEADERS,
    FORM_OVER,
    FORM_BAD,
};

struct form {
    enum form_state state;
    char delimiter[FORM_BOUNDARY_BYTES + 5]; /* CR LF "--" boundary */
    size_t delimiter_len;
    size_t matched; /* bytes of it that have come, and were held back */
    bool is_file;   /* the part is the one */
    bool has_file;  /* it has begun, or is over */
    bool is_empty_line;
    size_t headers_len;
    size_t line_len;
    char line[512]; /* of a part's headers; what is longer is cut */
};

/* False: content_type is not that of a form, or has no boundary. */
bool form_init(struct form *form, const char *content_type);

/*
 * Reads in up to the next piece of the file; *used says how far: feed the rest
 * again.  *data, *data_len: borrowed from in, or from form until the next
 * call.
 */
enum form_event form_feed(struct form *form, const char *in, size_t len,
                          size_t *used, const char **data, size_t *data_len);

/* Was there a part named "file"? */
bool form_has_file(const struct form *form);

#endif
