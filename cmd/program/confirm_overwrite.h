/* confirm_overwrite.h - shows what is about to be overwritten, and asks. */
#ifndef CW_PROGRAM_CONFIRM_OVERWRITE_H
#define CW_PROGRAM_CONFIRM_OVERWRITE_H

#include <stdbool.h>

#include "base/error.h"
#include "program/program.h"

/*
 * The destination was opened, so that nobody else uses it.  Shows what a block
 * device holds, and asks on a terminal.  Where only_resume is set, a device
 * that is not blank is left to the target: it goes on with a clone that it
 * recognizes, and refuses any other.  is_given, by --yes, overrules all.  0:
 * go on; -1: ERROR_REFUSED.
 */
int confirm_overwrite_get(struct program *process,
                          const struct cw_target_options *options,
                          bool is_given, struct error *err);

#endif
