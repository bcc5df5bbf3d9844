/*
 * help.h - the option table as help text, documentation, manual page and shell
 * completion.
 *
 * A format is a row of help_formats: templates in which "@env@" stands for a
 * field of the program, group or row, and "@env<A@:B@>" for A if the field is
 * set and else for B.  help.c has the list of fields.
 */
#ifndef CW_OPTIONS_HELP_H
#define CW_OPTIONS_HELP_H

#include <stdbool.h>
#include <stdio.h>

#include "options/option.h"

/* What may follow an option, as a shell sees it. */
enum help_value {
    HELP_ARGUMENT, /* not an option */
    HELP_BARE,     /* nothing: the option works without a value */
    HELP_WORDS,    /* one of its words */
    HELP_FILE,     /* a path */
    HELP_TEXT,     /* free text */
    HELP_VALUES,
};

struct help_format {
    /* A character and the text to print for it; a list ends with NULL. */
    const char *const *escapes;
    const char *paragraph; /* in place of a blank line; NULL: a blank line */
    const char *document;  /* contains @rows@ */
    const char *heading;   /* before the rows of a title; NULL: none */
    const char *rows[HELP_VALUES]; /* NULL: not printed */
    bool has_columns; /* rows have a tab: the text to its right wraps */
};

/* Formats by their OPTION_ACTION_HELP... */
extern const struct help_format help_formats[];

/* Prints what --help=FORM prints.  The lines of --help fit 80 columns;
 * --help=markdown is the program's part of docs/options.md. */
void help_print(const struct option_program *program, enum option_action form,
                FILE *out);

#endif
