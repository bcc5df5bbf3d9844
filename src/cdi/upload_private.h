/* upload_private.h - the parts of an upload: upload.c unwraps the body,
 * upload_disk.c writes it as a disk, upload_tar.c as files. */
#ifndef CW_CDI_UPLOAD_PRIVATE_H
#define CW_CDI_UPLOAD_PRIVATE_H

#include <stdint.h>

#include "cdi/disk_decoder.h"
#include "cdi/upload.h"
#include "clonewire/clonewire.h"
#include "image/image.h"
#include "image/stream/byte_source.h"
#include "tar/reader.h"

#define UPLOAD_SIZE_UNKNOWN UINT64_MAX

/* Starts the digest of a disk of at most bytes bytes. */
int upload_open_digest(struct upload *upload, uint64_t bytes,
                       struct error *err);

/*
 * Writes the disk that feed delivers.  known_bytes: its size if announced, or
 * UPLOAD_SIZE_UNKNOWN.
 */
int upload_disk(struct upload *upload, struct disk_stream *feed,
                uint64_t known_bytes, struct error *err);

/*
 * Writes the disk in the image that input delivers.  known_bytes: the
 * length of the image, or UPLOAD_SIZE_UNKNOWN.
 */
int upload_image(struct upload *upload, const struct byte_source *input,
                 enum cw_format format, uint64_t known_bytes,
                 struct error *err);

/* Unpacks the files of tar beside the destination; for a device, only the disk
 * image. */
int upload_tar(struct upload *upload, const struct piece_source *tar,
               struct error *err);

#endif
