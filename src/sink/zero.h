/*
 * zero.h - makes ranges read as zero, by the cheapest method that works.
 *
 * One row per method.  A method that fails, for any reason, is retired for
 * good, and the next one is tried.  The last row writes zeros; only its
 * failure is an error.  The log, the summary and the tests name the method in
 * use.
 *
 * All lanes share one zeroer: its mutable state is atomic.
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
    /* The range is aligned to file->align_bytes, except in the last row.
     * Returns 0 or -errno; never -EINTR. */
    int (*apply)(struct file *file, uint64_t offset, uint64_t length);
};

/*
 * The last row has a NULL name.  For a block device: "punch-hole" (unmaps, and
 * the block layer guarantees zeros), "compare" (reads, and writes what is not
 * zero), "zero-range" (as punch-hole, but without
 * unmapping), "zeroout" (the ioctl, where fallocate(2) on devices is
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
    bool must_allocate;                /* never deallocate */
    atomic_uint retired;               /* bit i: methods[i] has failed */
    _Atomic uint64_t zeroed_bytes;     /* so far, for the progress */
    const atomic_bool *stop; /* borrowed, or NULL: stop between pieces */
};

/* Another thread may be reading zeroed_bytes already. */
void zeroer_init(struct zeroer *z, struct file *file, const char *path,
                 const struct zero_method *methods, bool must_allocate);

/*
 * Makes [offset, offset+length) read as zero, in pieces whose size follows the
 * speed of the device, so that progress shows and a stop takes effect.
 * Unaligned edges are written.  Returns 0, -ECANCELED after a stop, or the
 * -errno of writing zeros with *failed_offset at the piece that failed.
 */
int zeroer_apply(struct zeroer *z, uint64_t offset, uint64_t length,
                 uint64_t *failed_offset);

/* The name of the method in use. */
const char *zeroer_name(const struct zeroer *z);

#endif
