/* side_files.h - checks that no side file of a clone is its disk. */
#ifndef CW_PROGRAM_SIDE_FILES_H
#define CW_PROGRAM_SIDE_FILES_H

#include <stdbool.h>

#include "base/error.h"
#include "options/option.h"

/* Returns whether path, a file to write, is the disk by another name.  disk
 * "-": stdin. */
bool side_files_is_disk(const char *path, const char *disk);

/* Like the next one, for one path. */
int side_files_check_path(const struct option_program *program,
                          const void *config, const char *what,
                          const char *path, struct error *err);

/*
 * Checks every option with a FILE or a DIR, stdout, stderr and progress_fd (-1:
 * none).  Fails with ERROR_USAGE if one is IMAGE or DEST, or a file or device
 * above or below it.  Replaces a stderr that is the disk with /dev/null; opens
 * nothing else.
 */
int side_files_check(const struct option_program *program, const void *config,
                     int progress_fd, struct error *err);

#endif
