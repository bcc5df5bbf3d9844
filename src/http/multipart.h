/*
 * multipart.h - the part named "file" out of a multipart/form-data body (RFC 7578),
 * as it comes.  Pure; holds back nothing but what may be a boundary.
 */
#ifndef CW_HTTP_MULTIPART_H
#define CW_HTTP_MULTIPART_H

#include <stdbool.h>
#include <stddef.h>

#define MULTIPART_BOUNDARY_BYTES 70U   /* by RFC 2046, at most */
#define MULTIPART_HEADERS_BYTES  8192U /* of one part, at most */

enum multipart_event {
    MULTIPART_MORE, /* all was used */
    MULTIPART_DATA, /* *data is some of the file */
    MULTIPART_END,  /* the last boundary has come; what follows means nothing */
    MULTIPART_BROKEN, /* no form: for ever */
};

enum multipart_state {
    MULTIPART_IN_PART,     /* or in front of the first */
    MULTIPART_BEHIND,      /* a boundary: another part, or the end? */
    MULTIPART_BEHIND_DASH, /* "-" of "--" has come */
    MULTIPART_PADDING,     /* up to the end of the boundary's line */
    MULTIPART_HEADERS,
    MULTIPART_OVER,
    MULTIPART_BAD,
};

struct multipart {
    enum multipart_state state;
    char delimiter[MULTIPART_BOUNDARY_BYTES + 5]; /* CR LF "--" boundary */
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
bool multipart_init(struct multipart *form, const char *content_type);

/*
 * Reads in up to the next piece of the file; *used says how far: feed the rest
 * again.  *data, *data_len: borrowed from in, or from form until the next
 * call.
 */
enum multipart_event multipart_feed(struct multipart *form, const char *in,
                                    size_t len, size_t *used, const char **data,
                                    size_t *data_len);

/* Was there a part named "file"? */
bool multipart_has_file(const struct multipart *form);

#endif
