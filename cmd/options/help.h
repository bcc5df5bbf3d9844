/* help.h - the option table as text for people. */
#ifndef CW_OPTIONS_HELP_H
#define CW_OPTIONS_HELP_H

#include <stdbool.h>
#include <stdio.h>

#include "options/option.h"

/* --help: examples first, then the options in groups; 80 columns. */
void option_help_print(const struct option_program *program, FILE *out);

/* --help=markdown: the program's part of docs/options.md. */
void option_help_print_markdown(const struct option_program *program,
                                FILE *out);

/* ---- parts, for the other forms ---- */

/* "--lanes=N|auto", "--help[=text|markdown]", "DEST".  Returns buf. */
const char *option_help_flag(const struct option_row *row, char *buf,
                             size_t len);

/* Help and bounds.  Returns buf. */
const char *option_help_meaning(const struct option_row *row, char *buf,
                                size_t len);

/* Neighbouring groups with one title are one group to the reader. */
bool option_help_starts_heading(const struct option_program *program,
                                const struct option_group *group);

#endif
