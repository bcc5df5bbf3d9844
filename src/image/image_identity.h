/*
 * image_identity.h - is an image still the one that was opened?  Asks for
 * every file it is read from: the image itself, and each backing file.
 */
#ifndef CW_IMAGE_IMAGE_IDENTITY_H
#define CW_IMAGE_IMAGE_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>

#include "image/image.h"

/* An overlay and the backing files that backing_open() goes through. */
#define IMAGE_IDENTITY_BYTES ((size_t)18 * SOURCE_GUARD_IDENTITY_BYTES)

/*
 * ERROR_CHANGED: one of them was written to or replaced since img, which was
 * opened without `like`, was opened.  0 for what comes through a pipe.
 */
int image_check_same(const struct image *img, struct error *err);

/*
 * ERROR_CHANGED: img, just opened, is not what options->like was opened as, so
 * tables of one state would be used for another.  0 without a `like`.
 */
int image_check_like(const struct image_options *options,
                     const struct image *img, struct error *err);

/* As source_guard_identify(), of all of them.  False: of one nothing tells. */
bool image_identify(const struct image *img, char text[IMAGE_IDENTITY_BYTES]);

/*
 * ERROR_REFUSED: writing to dest, a path that need not exist yet, would
 * change what img is read from, as they are one disk, or one lies on the
 * other.
 */
int image_check_apart(const struct image *img, const char *dest,
                      struct error *err);

#endif
