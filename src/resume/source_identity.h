/*
 * source_identity.h - is it the same image as before?  Named before the clone,
 * so that a later run can find it again; looked at again behind it, so that
 * a disk that changed meanwhile is not called a copy.
 */
#ifndef CW_RESUME_SOURCE_IDENTITY_H
#define CW_RESUME_SOURCE_IDENTITY_H

#include <stdbool.h>
#include <stdint.h>

#include "clonewire/clonewire.h"
#include "net/addr.h"
#include "plan/chunk_bitmap.h"
#include "transfer/disk_scan.h"
#include "wire/message.h"

/* The name of the job: options->job_id, or made of image and target, so that
 * the same command gives the same name. */
void source_name_job(const struct cw_source_options *options,
                     const struct addr *target, uint64_t virtual_bytes,
                     char name[MESSAGE_JOB_BYTES]);

/*
 * What identifies the image as long as nobody writes to it: which file or
 * device, size, times.  False: nothing does.
 */
bool source_identify(const struct image *image,
                     uint8_t identity[MESSAGE_IDENTITY_BYTES]);

/* Can samples of the image be read, without unpacking all of it? */
bool source_can_sample(const struct image *image);

/*
 * Reads a few of the chunks told again.  1: their digests are those in table;
 * 0: one differs; -1: errors as of disk_scan_run().
 */
int source_check_told(const struct disk_scan *scan,
                      const struct chunk_bitmap *told,
                      const struct digest *table, struct error *err);

/*
 * ERROR_CHANGED: the image was written to since scan->image.like was opened, by
 * its times or by samples: chunks, spread over the disk, that are read again
 * and compared with digest.  scan: how to read it.
 */
int source_check_same(const struct disk_scan *scan, const struct digest *digest,
                      struct error *err);

#endif
