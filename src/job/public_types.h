/*
 * public_types.h - converts between the API's types and those inside.  The
 * inner enums repeat the public ones value by value; public_types.c asserts it.
 */
#ifndef CW_JOB_PUBLIC_TYPES_H
#define CW_JOB_PUBLIC_TYPES_H

#include "base/error.h"
#include "base/log.h"
#include "clonewire/clonewire.h"
#include "io/file.h"
#include "io/hole_check.h"
#include "io/io_queue.h"
#include "record/digest.h"

/* Fills out with a copy of err. */
void public_error_fill(struct cw_error *out, const struct error *err);

enum file_mode public_file_mode(const struct cw_tuning *tuning);
enum hole_policy public_hole_policy(const struct cw_tuning *tuning);
enum io_engine public_io_engine(enum cw_io_engine engine);
enum log_level public_log_level(enum cw_log_level level);
enum cw_log_level public_from_log_level(enum log_level level);

/* The default is XXH3-128. */
enum digest_algorithm public_digest(enum cw_digest digest);

#endif
