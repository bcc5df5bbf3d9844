/*
 * termination_log.h - the result of a program, for its container runtime.
 *
 * One JSON object of less than 4 KiB, the maximum that a kubelet keeps, written
 * to an existing file: in a pod it is a bind mount, so it must not be replaced.
 * docs/operations.md lists the members.
 */
#ifndef CW_PROGRAM_TERMINATION_LOG_H
#define CW_PROGRAM_TERMINATION_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "clonewire/clonewire.h"
#include "output/log_output.h"

#define TERMINATION_DEFAULT "/dev/termination-log"
#define TERMINATION_BYTES   4096U /* NUL included */

struct termination {
    const char *side;
    const struct cw_error *error;       /* NULL: no error */
    const struct cw_summary *summary;   /* NULL: there is no copy */
    const struct cw_progress *progress; /* last progress */
};

/* Without error and summary: the deadline passed.  Returns buf. */
const char *termination_format(const struct termination *termination,
                               char buf[TERMINATION_BYTES]);

/*
 * Writes text to path; NULL: to TERMINATION_DEFAULT, if that is a regular file.
 * Returns 0 or -errno; for NULL never -ENOENT.
 */
int termination_write(const char *path, const char *text);

/* Like termination_write(); logs an error, and returns false. */
bool termination_save(struct log_output *log, const char *path,
                      const char *text);

#endif
