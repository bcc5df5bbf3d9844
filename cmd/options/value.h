/* value.h - the value of an option: text, number and bounds. */
#ifndef CW_OPTIONS_VALUE_H
#define CW_OPTIONS_VALUE_H

#include <stdbool.h>
#include <stdio.h>

#include "base/error.h"
#include "options/option.h"

/* Returns the text that the flag means without a value; NULL: it needs one. */
const char *option_value_bare(const struct option_row *row);

/*
 * Parses text as row's kind and stores it in the row's field of config, the
 * struct of the row's group.  Fails with ERROR_USAGE; the text has the flag,
 * the variable, the value and the bounds.
 */
int option_value_store(const struct option_row *row, const char *text,
                       void *config, struct error *err);

/* "between 0 and 0.99", or "" if not a number.  Returns buf. */
const char *option_value_range(const struct option_row *row, char *buf,
                               size_t len);

/* "between 0 and 0.99, or auto", "one of a, b", or "".  Returns buf. */
const char *option_value_bounds(const struct option_row *row, char *buf,
                                size_t len);

/* Appends the words to the text in buf.  Returns buf. */
const char *option_value_words(const struct option_row *row,
                               const char *separator, char *buf, size_t len);

/* "N|auto", "a|b|c", "FILE", or "" without a value.  Returns buf. */
const char *option_value_arg(const struct option_row *row, char *buf,
                             size_t len);

/* "--lanes (CLONEWIRE_LANES)", "DEST (CLONEWIRE_DEST)", "--help". */
const char *option_value_name(const struct option_row *row, char *buf,
                              size_t len);

#endif
