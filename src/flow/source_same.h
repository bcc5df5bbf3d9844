/*
 * source_same.h - is it the same image as before?  Named before the clone,
 * so that a later run can find it again; looked at again behind it, so that
 * a disk that changed meanwhile is not called a copy.
 */
#ifndef CW_FLOW_SOURCE_SAME_H
#define CW_FLOW_SOURCE_SAME_H

#include <stdint.h>

#include "clonewire/clonewire.h"
#include "flow/survey.h"
#include "image/guard.h"
#include "net/addr.h"
#include "wire/message.h"

/* The name of the job: options->job_id, or made of image and target, so that
 * the same command gives the same name. */
void source_name_job(const struct cw_source_options *options,
                     const struct addr *target, uint64_t virtual_bytes,
                     char name[MESSAGE_JOB_BYTES]);

/*
 * ERROR_CHANGED: the image was written to since guard was opened, by its
 * times or by samples: chunks, spread over the disk, that are read again and
 * compared with digest.  survey: how to read it.
 */
int source_check_same(const struct guard *guard, const struct survey *survey,
                      const struct digest *digest, struct error *err);

#endif
