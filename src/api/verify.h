/*
 * verify.h - what disks are proved equal by without a clone: digests, and the
 * receipts that clones leave.
 */
#ifndef CW_API_VERIFY_H
#define CW_API_VERIFY_H

#include "clonewire/clonewire.h"
#include "image/image.h"
#include "job/job.h"

/* As cw_source_digest(): of virtual_bytes, 0: all. */
int proof_digest(const struct image_options *image, enum cw_io_engine engine,
                 enum cw_digest digest, uint64_t virtual_bytes, char *text,
                 struct error *err);

/*
 * The job is done: writes the receipt it was told to write, if it was.
 * ERROR_SYSTEM: it is done all the same.
 */
int proof_write_receipt(const struct cw_job *job,
                        const struct cw_summary *summary, struct error *err);

/* What a caller of proof_check_receipt() hears, besides its end. */
struct proof_listener {
    int (*each)(void *opaque, uint64_t offset, uint64_t length); /* or NULL */
    void *opaque;
    struct cw_receipt *receipt; /* to be filled */
};

/* As cw_source_check_receipt(). */
int proof_check_receipt(const struct image_options *image,
                        enum cw_io_engine engine, const char *path,
                        const struct proof_listener *listener,
                        struct error *err);

#endif
