/*
 * termination_log.h - how it ended, for who started us in a container.
 *
 * One JSON object of less than 4 KiB, which is what a kubelet keeps, written
 * into a file that is there: in a pod it is a bind mount, so it must not be
 * replaced.  docs/operations.md lists the members.
 */
#ifndef CW_PROGRAM_TERMINATION_LOG_H
#define CW_PROGRAM_TERMINATION_LOG_H

#include <stdint.h>

#include "clonewire/clonewire.h"

#define TERMINATION_DEFAULT "/dev/termination-log"
#define TERMINATION_BYTES   4096U /* NUL included */

struct termination {
    const char *side;
    const struct cw_error *error;       /* NULL: it did not fail */
    const struct cw_summary *summary;   /* NULL: there is no copy */
    const struct cw_progress *progress; /* the last that was told */
};

/* Neither error nor summary: the deadline passed.  Returns buf. */
const char *termination_format(const struct termination *termination,
                               char buf[TERMINATION_BYTES]);

/*
 * Writes text to path; NULL: to TERMINATION_DEFAULT, if that is a regular
 * file.  0 or -errno; -ENOENT cannot be for NULL.
 */
int termination_write(const char *path, const char *text);

#endif
