/* disk_options.h - converts the API's options for image and sink. */
#ifndef CW_TRANSFER_DISK_OPTIONS_H
#define CW_TRANSFER_DISK_OPTIONS_H

#include "base/error.h"
#include "clonewire/clonewire.h"
#include "image/image.h"
#include "sink/sink.h"

/* The result borrows the strings of options. */
void disk_options_image(const struct cw_source_options *options,
                        struct image_options *image);
void disk_options_sink(const struct cw_target_options *options,
                       struct sink_options *sink);

/* Sums the data of a whole image, step by step in bounded memory.  -1: the
 * map cannot be read. */
int disk_options_measure(struct image *image, uint64_t *data_bytes,
                         struct error *err);

/*
 * What a sparse copy of image surely takes, of its data_bytes by the measure.
 * 0: unknown, as its map does not tell zeros from data (a device, a compressed
 * image, a pipe, holes that have to be read).
 */
uint64_t disk_options_stored(const struct image *image, uint64_t data_bytes);

#endif
