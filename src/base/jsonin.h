/*
 * jsonin.h - takes JSON text apart, value by value, without a tree.
 *
 * Every function skips white space, takes what it is named for and returns
 * true; or returns false, and then the text is not what the caller wants
 * (where is to be found in at).  The text must be a C string.
 */
#ifndef CW_BASE_JSONIN_H
#define CW_BASE_JSONIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct jsonin {
    const char *at; /* borrowed */
};

/* A punctuation mark: one of {}[]:, */
bool jsonin_mark(struct jsonin *in, char mark);

/* A string, its escapes undone, into out with a NUL.  False also when it does
 * not fit in len bytes, or holds a NUL. */
bool jsonin_text(struct jsonin *in, char *out, size_t len);

/* A whole number from 0 to UINT64_MAX. */
bool jsonin_number(struct jsonin *in, uint64_t *out);

/* Any value, nested to a reasonable depth. */
bool jsonin_skip(struct jsonin *in);

/* Only white space is left. */
bool jsonin_end(struct jsonin *in);

#endif
