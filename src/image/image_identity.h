/* image_identity.h - checks that an image is still the one that was opened.
 * Each check covers the image itself and all of its backing files. */
#ifndef CW_IMAGE_IMAGE_IDENTITY_H
#define CW_IMAGE_IMAGE_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>

#include "image/image.h"

/* An overlay and the backing files that backing_open() follows. */
#define IMAGE_IDENTITY_BYTES ((size_t)18 * SOURCE_GUARD_IDENTITY_BYTES)

/*
 * Fails with ERROR_CHANGED if one of the files was written or replaced since
 * img was opened without `like`.  Returns 0 for an image read from a pipe.
 * 1: a server that was lost is back, and may serve something else.
 */
int image_check_same(const struct image *img, struct error *err);

/*
 * Fails with ERROR_CHANGED if the image that was just opened differs from
 * options->like: tables of one state must not be used for another.  Returns 0
 * if there is no `like`.
 */
int image_check_like(const struct image_options *options,
                     const struct image *img, struct error *err);

/* As source_guard_identify(), for every file.  False: one cannot be
 * identified. */
bool image_identify(const struct image *img, char text[IMAGE_IDENTITY_BYTES]);

/* Fails with ERROR_REFUSED if writing to dest would change the image: both are
 * the same disk, or one lies on the other. dest need not exist yet. */
int image_check_apart(const struct image *img, const char *dest,
                      struct error *err);

#endif
