/* side_files.h - nothing that is written beside a clone may be its disk. */
#ifndef CW_PROGRAM_SIDE_FILES_H
#define CW_PROGRAM_SIDE_FILES_H

#include <stdbool.h>

#include "base/error.h"
#include "options/option.h"

/* Is path, which will be written, the disk by another name?  disk: "-":
 * standard input. */
bool side_files_is_disk(const char *path, const char *disk);

/* As the next one, of that path alone. */
int side_files_check_path(const struct option_program *program,
                          const void *config, const char *what,
                          const char *path, struct error *err);

/*
 * Looks at every option that names a FILE or a DIR, at stdout, stderr and
 * progress_fd (-1: none).  ERROR_USAGE: it is IMAGE or DEST, or the file or
 * device below or above it.  Opens nothing, but /dev/null in the place of a
 * stderr that is the disk.
 */
int side_files_check(const struct option_program *program, const void *config,
                     int progress_fd, struct error *err);

#endif
