/*
 * backing.h - the image beneath a QCOW2, for what that one does not say.
 *
 * Its name is text out of the image, so an enemy's.  It is opened only
 * beneath a directory the user names, by the kernel's own rule
 * (RESOLVE_BENEATH, and no link on the way), and only in the format the image
 * says it has: content that is probed would again be an enemy's choice.
 */
#ifndef CW_IMAGE_BACKING_H
#define CW_IMAGE_BACKING_H

#include "image/image.h"
#include "image/qcow2/header.h"

/*
 * Opens the backing image header names, as part of the image options are
 * for.  *backing and *path (its name for people and for the next layer) are
 * the caller's; both NULL when header names none.  depth: images the overlay
 * backs itself.
 *
 * A relative name is relative to the directory of the overlay, as QEMU has
 * it.  Fails with ERROR_FORMAT when it may not be opened, else as
 * image_open().
 */
int backing_open(const struct image_options *options,
                 const struct qcow2_header *header, unsigned depth, char **path,
                 struct image **backing, struct error *err);

/*
 * image_open() of real_path, for a layer that people know as options->path
 * and that lies beneath depth others.
 */
int image_open_layer(const struct image_options *options, const char *real_path,
                     unsigned depth, struct image **img, struct error *err);

#endif
