/* public_error.h - converts an error for the API's caller. */
#ifndef CW_JOB_PUBLIC_ERROR_H
#define CW_JOB_PUBLIC_ERROR_H

#include "base/error.h"
#include "clonewire/clonewire.h"

/* Fills out with a copy of err. */
void public_error_fill(struct cw_error *out, const struct error *err);

#endif
