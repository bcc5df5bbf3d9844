/* upload_private.h - the parts of an upload: upload.c unwraps the body,
 * upload_disk.c makes a disk of it, upload_tar.c files. */
#ifndef CW_CDI_UPLOAD_PRIVATE_H
#define CW_CDI_UPLOAD_PRIVATE_H

#include <stdint.h>

#include "cdi/disk_decoder.h"
#include "cdi/upload.h"
#include "image/image.h"
#include "image/stream/byte_source.h"
#include "tar/reader.h"

#define UPLOAD_SIZE_UNKNOWN UINT64_MAX

/* Begins the digest of a disk of so many bytes at most. */
int upload_open_digest(struct upload *upload, uint64_t bytes,
                       struct error *err);

/*
 * Writes the disk that feed brings.  known_bytes: its size, where something
 * has told it already, or UPLOAD_SIZE_UNKNOWN.
 */
int upload_disk(struct upload *upload, struct disk_stream *feed,
                uint64_t known_bytes, struct error *err);

/*
 * Writes the disk in the image that comes through input.  known_bytes: the
 * length of the image, or UPLOAD_SIZE_UNKNOWN.
 */
int upload_image(struct upload *upload, const struct image_input *input,
                 enum image_format format, uint64_t known_bytes,
                 struct error *err);

/* Unpacks the files of tar beside the destination; of those for a device,
 * only the disk. */
int upload_tar(struct upload *upload, const struct tree_input *tar,
               struct error *err);

#endif
