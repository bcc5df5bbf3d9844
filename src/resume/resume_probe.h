/* resume_probe.h - finds what an earlier run left at a destination, by its
 * checkpoint, before anything is opened for writing. */
#ifndef CW_RESUME_RESUME_PROBE_H
#define CW_RESUME_RESUME_PROBE_H

#include "clonewire/clonewire.h"
#include "record/checkpoint.h"

enum resume_probe {
    RESUME_PROBE_NOTHING,
    RESUME_PROBE_DEVICE, /* an unfinished clone to this device */
    /* A clone that was killed after its disk was whole and had its final name.
     * Identity and times say that this is that disk; it was not read. */
    RESUME_PROBE_FINISHED_FILE,
    RESUME_PROBE_FINISHED_DEVICE,
};

/*
 * Changes nothing.  Ignores an unfinished clone that options do not resume.
 * Fills head with that of the record, unless it returns RESUME_PROBE_NOTHING.
 */
enum resume_probe resume_probe_look(const struct cw_target_options *options,
                                    struct checkpoint_head *head);

#endif
