/*
 * finish_mark.h - what stands for the record of a finished disk while, and
 * after, the record is removed: an extended attribute of its directory.
 *
 * The record goes once the source knows.  A process that is killed after that
 * and before it has ended is started again, and then finds by the mark that
 * there is nothing left to do.  The mark is the last thing to go.  Where the
 * filesystem has no extended attributes, there is none.
 */
#ifndef CW_RECORD_FINISH_MARK_H
#define CW_RECORD_FINISH_MARK_H

#include <stdbool.h>

#include "record/checkpoint.h"

/* record: the path that the record has, or had. */
void finish_mark_set(const char *record, const struct checkpoint_head *head);

/* False: there is none, or it is damaged. */
bool finish_mark_get(const char *record, struct checkpoint_head *head);

void finish_mark_clear(const char *record);

#endif
