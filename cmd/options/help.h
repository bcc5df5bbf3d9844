/* help.h - the option table as help text. */
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

/* ---- parts, for the other formats ---- */

/* "--lanes=N|auto", "--help[=text|markdown]", "DEST".  Returns buf. */
const char *option_help_flag(const struct option_row *row, char *buf,
                             size_t len);

/* Help and bounds.  Returns buf. */
const char *option_help_meaning(const struct option_row *row, char *buf,
                                size_t len);

/* Adjacent groups with the same title are printed as one. */
bool option_help_starts_heading(const struct option_program *program,
                                const struct option_group *group);

#endif
