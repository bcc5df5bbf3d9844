/*
 * verify.h - compares disks without a clone: by digest, or with the receipt of
 * a clone.
 */
#ifndef CW_API_VERIFY_H
#define CW_API_VERIFY_H

#include "clonewire/clonewire.h"
#include "image/image.h"
#include "job/job.h"

/* Like cw_source_digest(), for virtual_bytes of the disk; 0: all. */
int verify_digest(const struct image_options *image, enum cw_io_engine engine,
                  enum cw_digest digest, uint64_t virtual_bytes, char *text,
                  struct error *err);

/* Output of verify_check_receipt(). */
struct verify_listener {
    int (*each)(void *opaque, uint64_t offset, uint64_t length); /* or NULL */
    void *opaque;
    struct cw_receipt *receipt; /* to be filled */
};

/* As cw_source_check_receipt(). */
int verify_check_receipt(const struct image_options *image,
                         enum cw_io_engine engine, const char *path,
                         const struct verify_listener *listener,
                         struct error *err);

#endif
