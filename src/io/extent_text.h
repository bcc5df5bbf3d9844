/*
 * extent_text.h - for extent_file alone: the text of a list as a stream of
 * items, and the checks of its entries.
 */
#ifndef CW_IO_EXTENT_TEXT_H
#define CW_IO_EXTENT_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/error.h"
#include "io/extent_file.h"

#define EXTENT_TEXT_ITEM_BYTES 1024U

struct extent_text {
    struct extent_file_options *options; /* borrowed */
    FILE *in;                            /* borrowed */
    uint64_t at;                         /* bytes consumed */
    uint64_t start, end;                 /* of the entry before; end 0: none */
    char item[EXTENT_TEXT_ITEM_BYTES];   /* the last item, NUL-terminated */
};

/* The next character that is not white space, not consumed; EOF: none. */
int extent_text_peek(struct extent_text *text);

/* Consumes the next character if it is mark. */
bool extent_text_mark(struct extent_text *text, char mark);

/* Reads a JSON string with its quotes, a number or a word into item. */
bool extent_text_scalar(struct extent_text *text);

/* Reads an XML tag without its brackets into item; skips comments, the
 * declaration and text between tags.  false: the file ends. */
bool extent_text_tag(struct extent_text *text);

/* Fails with ERROR_USAGE at the current entry: "FILE: entry 7, about byte 300,
 * WHY". */
int extent_text_refuse(const struct extent_text *text, const char *why,
                       struct error *err);

/*
 * Checks the extent of the current entry against the disk and the entry before
 * it, and hands it on if it is listed.
 */
int extent_text_entry(struct extent_text *text, uint64_t offset,
                      uint64_t length, bool is_listed, struct error *err);

/* The readers of the two families.  The text is at its first character. */
int extent_json_read(struct extent_text *text, struct error *err);
int extent_thin_read(struct extent_text *text, struct error *err);

#endif
