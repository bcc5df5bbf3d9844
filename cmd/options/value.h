/* value.h - one option's value: its text, its number, its bounds. */
#ifndef CW_OPTIONS_VALUE_H
#define CW_OPTIONS_VALUE_H

#include <stdbool.h>
#include <stdio.h>

#include "base/error.h"
#include "options/option.h"

/* Can the flag stand alone, and for which text?  NULL: it needs a value. */
const char *option_value_bare(const struct option_row *row);

/*
 * Reads text as row's kind and stores it in the row's field of config, the
 * struct of the row's group.  Fails with ERROR_USAGE: names flag, variable,
 * value and bounds.
 */
int option_value_store(const struct option_row *row, const char *text,
                       void *config, struct error *err);

/* "between 0 and 0.99", or "" for what is no number.  Returns buf. */
const char *option_value_range(const struct option_row *row, char *buf,
                               size_t len);

/* "between 0 and 0.99, or auto", "one of a, b", or "".  Returns buf. */
const char *option_value_bounds(const struct option_row *row, char *buf,
                                size_t len);

/* "N|auto", "a|b|c", "FILE", or "" for what takes no value.  Returns buf. */
const char *option_value_arg(const struct option_row *row, char *buf,
                             size_t len);

/* "--lanes (CLONEWIRE_LANES)", "DEST (CLONEWIRE_DEST)", "--help". */
const char *option_value_name(const struct option_row *row, char *buf,
                              size_t len);

#endif
