/* public_error.h - an error in the form that the API's caller sees. */
#ifndef CW_JOB_PUBLIC_ERROR_H
#define CW_JOB_PUBLIC_ERROR_H

#include "base/error.h"
#include "clonewire/clonewire.h"

/* Fills out, which owns a copy of all of err. */
void public_error_fill(struct cw_error *out, const struct error *err);

#endif
