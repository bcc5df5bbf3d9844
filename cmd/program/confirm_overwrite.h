/* confirm_overwrite.h - shows what a clone would overwrite, and asks. */
#ifndef CW_PROGRAM_CONFIRM_OVERWRITE_H
#define CW_PROGRAM_CONFIRM_OVERWRITE_H

#include <stdbool.h>

#include "base/error.h"
#include "program/program.h"

/*
 * Shows what a block device holds, and asks on a terminal.  The destination is
 * already open, so no other process uses it.  With only_resume, the target
 * decides about a device that is not blank: it resumes a clone that it
 * recognizes, and refuses others.  is_given (--yes) overrides all.  Returns 0,
 * or -1 with ERROR_REFUSED.
 */
int confirm_overwrite_get(struct program *process,
                          const struct cw_target_options *options,
                          bool is_given, struct error *err);

#endif
