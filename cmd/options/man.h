/* man.h - the option table as a manual page. */
#ifndef CW_OPTIONS_MAN_H
#define CW_OPTIONS_MAN_H

#include <stdio.h>

#include "options/option.h"

/* --help=man: man(7) source of section 1. */
void option_man_print(const struct option_program *program, const char *version,
                      FILE *out);

#endif
