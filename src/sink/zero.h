/*
 * zero.h - makes ranges read as zero: the ladder from cheap to dear.
 *
 * One row per method.  A method that fails, for whatever reason, is retired
 * for good and the next one is asked; the last row writes zeros and is the
 * only one whose failure is an error.  Which rung is live is told by name to
 * the log, the summary and the tests.
 *
 * One zeroer is shared by all lanes: what changes in it is atomic.
 */
#ifndef CW_SINK_ZERO_H
#define CW_SINK_ZERO_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "io/file.h"

struct zero_method {
    const char *name;
    bool keeps_allocation; /* usable when the target is preallocated */
    /* Range aligned to file->align_bytes, unless it is the last row.
     * Returns 0 or -errno; never -EINTR. */
    int (*apply)(struct file *file, uint64_t offset, uint64_t length);
};

/*
 * Rows end with one whose name is NULL.  For a block device: "punch-hole"
 * (unmaps, and the block layer guarantees zeros), "zero-range" (the same
 * without unmapping), "zeroout" (the ioctl, where fallocate(2) on devices is
 * filtered), "write".
 */
extern const struct zero_method zero_block_methods[];
/* For a file with old content: "punch-hole", "zero-range", "write". */
extern const struct zero_method zero_file_methods[];
/* For preallocation in full: "write". */
extern const struct zero_method zero_write_methods[];

struct zeroer {
    struct file *file;                 /* borrowed */
    const char *path;                  /* borrowed, for the log */
    const struct zero_method *methods; /* borrowed */
    bool must_allocate;                /* never give space back */
    atomic_uint retired;               /* bit i: methods[i] has failed */
    _Atomic uint64_t zeroed_bytes;     /* so far, for the progress */
    const atomic_bool *stop; /* borrowed: give up between pieces; or NULL */
};

/* Another thread may be reading zeroed_bytes already. */
void zeroer_init(struct zeroer *z, struct file *file, const char *path,
                 const struct zero_method *methods, bool must_allocate);

/*
 * Makes [offset, offset+length) read as zero, in pieces whose size follows
 * the speed of the device, so that progress shows and a stop is heeded.
 * Unaligned edges are written.  Returns 0, -ECANCELED after a stop, or the
 * -errno of writing zeros with *failed_offset at the piece that failed.
 */
int zeroer_apply(struct zeroer *z, uint64_t offset, uint64_t length,
                 uint64_t *failed_offset);

/* The name of the live rung. */
const char *zeroer_name(const struct zeroer *z);

#endif
