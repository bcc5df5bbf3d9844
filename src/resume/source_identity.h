/*
 * source_identity.h - tells whether an image is the same as before: names the
 * job, so that a later run finds it again, and checks after the clone that the
 * image did not change meanwhile.
 */
#ifndef CW_RESUME_SOURCE_IDENTITY_H
#define CW_RESUME_SOURCE_IDENTITY_H

#include <stdbool.h>
#include <stdint.h>

#include "clonewire/clonewire.h"
#include "net/addr.h"
#include "plan/chunk_bitmap.h"
#include "record/progress.h"
#include "transfer/disk_scan.h"
#include "wire/message.h"

/* Names the job: options->job_id, or a name made of image and target, so that
 * the same command gives the same name. */
void source_name_job(const struct cw_source_options *options,
                     const struct addr *target, uint64_t virtual_bytes,
                     char name[MESSAGE_JOB_BYTES]);

/* Identifies the image until it is written to, by its file or device, size and
 * times.  False: it cannot be identified. */
bool source_identify(const struct image *image,
                     uint8_t identity[MESSAGE_IDENTITY_BYTES]);

/*
 * After a read during which others might write: sets is_mixed of progress, and
 * warns, unless the image is provably the one of identity (as of when it was
 * opened; NULL: it could not be identified).
 */
void source_note_mixture(const struct image *image, const uint8_t *identity,
                         struct progress *progress);

/* True if samples of the image can be read without decoding all of it. */
bool source_can_sample(const struct image *image);

/* Reads a few of the announced chunks again.  1: their digests are those in
 * table; 0: one differs; -1: errors as of disk_scan_run(). */
int source_check_announced(const struct disk_scan *scan,
                           const struct chunk_bitmap *announced,
                           const struct digest *table, struct error *err);

/*
 * Checks that the image was not written to since scan->image.like was opened:
 * its times, and chunks spread over the disk, which are read again by scan and
 * compared with digest.  ERROR_CHANGED: it was.
 */
int source_check_same(const struct disk_scan *scan, const struct digest *digest,
                      struct error *err);

#endif
