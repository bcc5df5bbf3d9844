/*
 * bottleneck.h - where the time of a clone went, in one line.  Pure.
 *
 * Each lane of each end waits for its disk, waits for its connection, or
 * works. An end that waits for the other does not limit the clone; without the
 * wait it would have been faster by that share.
 */
#ifndef CW_PLAN_BOTTLENECK_H
#define CW_PLAN_BOTTLENECK_H

#include <stddef.h>
#include <stdint.h>

/* Waits are summed over all lanes of that end. */
struct bottleneck_facts {
    uint64_t elapsed_ns; /* of the copying */
    uint64_t data_bytes; /* moved */
    unsigned lanes;
    uint64_t source_disk_ns;
    uint64_t source_net_ns;
    uint64_t target_disk_ns;
    uint64_t target_net_ns;
    /* Part of source_net_ns, spent to keep below the requested rate.  The
     * target does not know it and passes 0. */
    uint64_t paced_ns;
};

/*
 * Formats "target writes: 71 % of the time waiting there; alone, source could
 * do 2.1 GiB/s, target 1.1 GiB/s".  Without the part after ";" at a requested
 * rate.  Empty if nothing was moved.  Returns buf.
 */
const char *bottleneck_format(const struct bottleneck_facts *facts, char *buf,
                              size_t len);

#endif
