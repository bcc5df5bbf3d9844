/*
 * jsonin.h - parses JSON text value by value, without a tree.
 *
 * Every function skips white space, consumes the item that it is named for and
 * returns true.  On false, the text does not match what the caller expects; at
 * points to the place.  The text must be a C string.
 */
#ifndef CW_BASE_JSONIN_H
#define CW_BASE_JSONIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct jsonin {
    const char *at; /* borrowed */
};

/* A punctuation mark, one of {}[]:, */
bool jsonin_mark(struct jsonin *in, char mark);

/* Copies a string, unescaped and NUL-terminated, into out.  Also returns false
 * if it does not fit in len bytes or contains a NUL. */
bool jsonin_text(struct jsonin *in, char *out, size_t len);

/* An integer from 0 to UINT64_MAX. */
bool jsonin_number(struct jsonin *in, uint64_t *out);

/* Any value, nested to a reasonable depth. */
bool jsonin_skip(struct jsonin *in);

/* Returns true if only white space is left. */
bool jsonin_end(struct jsonin *in);

#endif
