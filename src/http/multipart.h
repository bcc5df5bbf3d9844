/*
 * multipart.h - extracts the part named "file" from a multipart/form-data body
 * (RFC 7578) as it arrives.  Pure; holds back only a possible boundary.
 */
#ifndef CW_HTTP_MULTIPART_H
#define CW_HTTP_MULTIPART_H

#include <stdbool.h>
#include <stddef.h>

#define MULTIPART_BOUNDARY_BYTES 70U   /* maximum of RFC 2046 */
#define MULTIPART_HEADERS_BYTES  8192U /* maximum per part */

enum multipart_event {
    MULTIPART_MORE,   /* all input used */
    MULTIPART_DATA,   /* *data is part of the file */
    MULTIPART_END,    /* after the last boundary; ignore what follows */
    MULTIPART_BROKEN, /* not a valid form; permanent */
};

enum multipart_state {
    MULTIPART_IN_PART,     /* or before the first */
    MULTIPART_BEHIND,      /* after a boundary: another part, or the end? */
    MULTIPART_BEHIND_DASH, /* "-" of "--" received */
    MULTIPART_PADDING,     /* to the end of the boundary's line */
    MULTIPART_HEADERS,
    MULTIPART_OVER,
    MULTIPART_BAD,
};

struct multipart {
    enum multipart_state state;
    char delimiter[MULTIPART_BOUNDARY_BYTES + 5]; /* CR LF "--" boundary */
    size_t delimiter_len;
    size_t matched; /* bytes of it received and held back */
    bool is_file;   /* the current part is "file" */
    bool has_file;  /* its part has begun, or is over */
    bool is_empty_line;
    size_t headers_len;
    size_t line_len;
    char line[512]; /* of a part's headers, truncated */
};

/* Returns false if content_type is not that of a form or has no boundary. */
bool multipart_init(struct multipart *form, const char *content_type);

/*
 * Reads in up to the next piece of the file; *used: the number of bytes
 * consumed; the caller feeds the rest again.  *data, *data_len: borrowed from
 * in, or from form until the next call.
 */
enum multipart_event multipart_feed(struct multipart *form, const char *in,
                                    size_t len, size_t *used, const char **data,
                                    size_t *data_len);

/* Was there a part named "file"? */
bool multipart_has_file(const struct multipart *form);

#endif
