/* nbd.h - the disk that an NBD server exports, named by a URI: a running QEMU,
 * qemu-nbd, qemu-storage-daemon, nbdkit. */
#ifndef CW_IMAGE_NBD_NBD_H
#define CW_IMAGE_NBD_NBD_H

#include <stdbool.h>

#include "image/image.h"

/* nbd://, nbds://, nbd+unix://, nbds+unix:// and the same over vsock.  A file of
 * such a name is reached as ./NAME. */
bool nbd_is_uri(const char *path);

/*
 * As image_open().  The image is raw: a format inside the export is the
 * server's concern.  If the server lets several clients read
 * (NBD_FLAG_CAN_MULTI_CONN), each image has a connection; else they share that
 * of options->like, one at a time (is_one_lane).  ERROR_TEMPORARY: the server
 * cannot be reached, also later, from a read.
 */
int nbd_image_open(const struct image_options *options, struct image **img,
                   struct error *err);

#endif
