#include "transfer/disk_options.h"

#include <sys/stat.h>

#include "io/source_guard.h"
#include "job/public_types.h"

#define MAP_STEP_BYTES (UINT64_C(1) << 30)

/* The inner enums repeat the public ones. */
#define SAME(outer, inner) \
    _Static_assert((int)(outer) == (int)(inner), #outer " is " #inner)

SAME(CW_COMPRESSION_AUTO, IMAGE_COMPRESSION_AUTO);
SAME(CW_COMPRESSION_NONE, IMAGE_COMPRESSION_NONE);
SAME(CW_COMPRESSION_GZIP, IMAGE_COMPRESSION_GZIP);
SAME(CW_COMPRESSION_XZ, IMAGE_COMPRESSION_XZ);

void disk_options_image(const struct cw_source_options *options,
                        struct image_options *image)
{
    *image = (struct image_options){
        .path = options->image,
        .login = {
            .cert_file = options->security.cert_file,
            .key_file = options->security.key_file,
            .ca_file = options->security.ca_file,
            .psk_file = options->security.psk_file,
            .psk_identity = options->security.psk_identity,
        },
        .bitmap = options->bitmap,
        .mode = options->tuning.io_mode,
        .holes = options->tuning.holes,
        .format = options->format,
        .compression = (enum image_compression)options->compression,
        .stream_bytes = options->stream_bytes,
        .backing_dir = options->backing_dir,
        .scratch_dir = options->scratch_dir,
        .allow_in_use = options->allow_in_use,
        .no_link = options->no_link,
        .cross_check = options->cross_check,
    };
}

void disk_options_sink(const struct cw_target_options *options,
                       struct sink_options *sink)
{
    *sink = (struct sink_options){
        .path = options->destination,
        .mode = options->tuning.io_mode,
        .overwrite = options->overwrite,
        .delta = options->delta,
        .keep_tail = options->keep_tail,
        .target_is_zero = options->target_is_zero,
        .overcommit = options->overcommit,
        .preallocate = options->preallocate,
        .overhead_ppm = options->fs_overhead_ppm,
        .size_bytes = options->size_bytes,
        .size_max = options->size_max,
        .keep_setid = options->keep_setid,
    };
}

uint64_t disk_options_stored(const struct image *image, uint64_t data_bytes)
{
    bool is_file = image->guard && S_ISREG(image->guard->stat.st_mode);
    bool has_map = (is_file || image->tree) &&
                   image->compression == IMAGE_COMPRESSION_NONE &&
                   !image->is_sequential && !image->reads_holes;

    return has_map ? data_bytes : 0;
}

int disk_options_measure(struct image *image, uint64_t *data_bytes,
                         struct error *err)
{
    struct extent_list list = { 0 };
    uint64_t size = image->virtual_bytes;
    int r = 0;

    *data_bytes = 0;
    for (uint64_t at = 0; at < size && r == 0;) {
        uint64_t step = size - at < MAP_STEP_BYTES ? size - at : MAP_STEP_BYTES;

        extent_list_clear(&list);
        r = image_map(image, at, step, &list, err);
        *data_bytes += extent_list_bytes(&list, EXTENT_DATA);
        at += step;
    }
    extent_list_fini(&list);
    return r;
}
