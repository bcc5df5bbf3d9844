/*
 * older_copy.h - gives a partial file the content of the older disk, so that a
 * delta changes the partial and the older disk stays whole under its name.
 *
 * A mark on the partial, an extended attribute, holds the file_stamp() of the
 * older disk: an interrupted delta continues in its partial while that disk is
 * unchanged.
 */
#ifndef CW_SINK_OLDER_COPY_H
#define CW_SINK_OLDER_COPY_H

#include <stdbool.h>

#include "base/error.h"
#include "io/file.h"
#include "sink/sink.h"

/* Was the content of partial made from older, as that is now?  False also where
 * the filesystem has no extended attributes. */
bool older_copy_is_base(const struct file *partial, const struct file *older);

/*
 * Replaces the content of partial by that of older; they share their blocks
 * (FICLONE) until one of them is written to.  1: done; 0: this filesystem does
 * not share blocks, and partial is empty; -1: ERROR_TARGET_IO, ERROR_NO_SPACE.
 */
int older_copy_reflink(const struct file *partial, const struct file *older,
                       struct error *err);

/* The same by copying the data, which adds to sink's copied_bytes; holes stay
 * holes.  ERROR_CANCELLED after sink_stop(); ERROR_TARGET_IO, ERROR_NO_SPACE. */
int older_copy_data(const struct file *partial, const struct file *older,
                    struct sink *sink, struct error *err);

/* May older be changed in place?  Logs what that means.  ERROR_REFUSED: it has
 * another hard link; ERROR_TARGET_IO. */
int older_copy_check_in_place(const struct sink_options *options,
                              const struct file *older, struct error *err);

/* Removes the mark, before the partial gets the final name. */
void older_copy_unmark(const struct file *partial);

#endif
