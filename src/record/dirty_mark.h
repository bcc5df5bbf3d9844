/*
 * dirty_mark.h - tells that a disk holds neither its old content nor a whole
 * new one: a file beside the record of a device, from before a delta changes
 * the first byte until the delta has ended well.
 */
#ifndef CW_RECORD_DIRTY_MARK_H
#define CW_RECORD_DIRTY_MARK_H

#include <stdbool.h>

#include "base/error.h"

/* Makes the mark, durably. record: path of the record; job: the job that is
 * about to change the disk.  ERROR_SYSTEM. */
int dirty_mark_set(const char *record, const char *job, struct error *err);

bool dirty_mark_is_set(const char *record);

/* Durably; does nothing if there is no mark.  A failure is logged: the mark is
 * then still true of an older pass. */
void dirty_mark_clear(const char *record);

#endif
