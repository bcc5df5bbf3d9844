/*
 * resume_probe.h - what an earlier run has left at a destination, by its checkpoint;
 * looked at before anything is opened for writing.
 */
#ifndef CW_RESUME_RESUME_PROBE_H
#define CW_RESUME_RESUME_PROBE_H

#include "clonewire/clonewire.h"

enum resume_probe {
    RESUME_PROBE_NOTHING,
    RESUME_PROBE_DEVICE, /* a clone to this very device, not known to be complete */
    /* A clone that was killed when it was complete and had its name, but
     * before its source knew: the file is this very one, and nobody has
     * written to it since. */
    RESUME_PROBE_FINISHED,
};

/* Changes nothing.  What options would not go on with is nothing. */
enum resume_probe resume_probe_look(const struct cw_target_options *options);

#endif
