/*
 * resume_probe.h - what an earlier run has left at a destination, by its
 * checkpoint; looked at before anything is opened for writing.
 */
#ifndef CW_RESUME_RESUME_PROBE_H
#define CW_RESUME_RESUME_PROBE_H

#include "clonewire/clonewire.h"
#include "record/checkpoint.h"

enum resume_probe {
    RESUME_PROBE_NOTHING,
    RESUME_PROBE_DEVICE, /* a clone to this very device that is not finished */
    /* A clone that was killed when it had finished: its disk was whole and had
     * its name.  It is this very one, so far as can be told without
     * reading it. */
    RESUME_PROBE_FINISHED_FILE,
    RESUME_PROBE_FINISHED_DEVICE,
};

/*
 * Changes nothing.  An unfinished clone that options would not go on with is
 * nothing; a finished one is finished, whatever they say.  head: that of the
 * record, unless it is nothing.
 */
enum resume_probe resume_probe_look(const struct cw_target_options *options,
                                    struct checkpoint_head *head);

#endif
