/* confirm_overwrite.h - shows what is about to be overwritten, and asks. */
#ifndef CW_PROGRAM_CONFIRM_OVERWRITE_H
#define CW_PROGRAM_CONFIRM_OVERWRITE_H

#include <stdbool.h>

#include "base/error.h"
#include "program/program.h"

/*
 * The destination was opened, so that nobody else uses it.  On a terminal a
 * block device is shown and asked about; without one it is refused unless it
 * is blank.  is_given, by --yes, overrules both.  0: go on; -1: ERROR_REFUSED.
 */
int confirm_overwrite_get(struct program *process,
                          const struct cw_target_options *options,
                          bool is_given, struct error *err);

#endif
