/*
 * backing.h - finds the backing file that an image names.
 *
 * The name is text from the image, so an attacker may have chosen it.  The
 * kernel opens it only inside a directory that the user names
 * (RESOLVE_BENEATH, no link on the way), and it is read only in the format
 * that the image gives: probing it would trust its content.
 */
#ifndef CW_IMAGE_BACKING_H
#define CW_IMAGE_BACKING_H

#include "image/format.h"
#include "image/image.h"

/*
 * Opens the backing file that header names, and returns its descriptor.  Fills
 * *below to open it as an image.  *path, its name for people and for the next
 * layer, is owned by the caller, also on failure.  depth: the number of images
 * that the overlay backs itself.
 *
 * A relative name is relative to the directory of the overlay, as in QEMU.
 * Returns -1 with ERROR_FORMAT (it may not be opened) or ERROR_SOURCE_IO.
 */
int backing_open(const struct image_options *options,
                 const struct format_header *header, unsigned depth,
                 struct image_options *below, char **path, struct error *err);

#endif
