/*
 * public_types.h - fills the API's types from those inside.
 */
#ifndef CW_JOB_PUBLIC_TYPES_H
#define CW_JOB_PUBLIC_TYPES_H

#include "base/error.h"
#include "clonewire/clonewire.h"
#include "record/digest.h"

/* Fills out, unless it is NULL, with a copy of err. */
void public_error_fill(struct cw_error *out, const struct error *err);

/* The default is XXH3-128. */
enum digest_algorithm public_digest(enum cw_digest digest);

#endif
