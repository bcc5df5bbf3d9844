#include "transfer/disk_options.h"

#include "plan/sizing.h"

#define MAP_STEP_BYTES (UINT64_C(1) << 30)

_Static_assert((int)CW_HOLES_AUTO == (int)HOLE_POLICY_AUTO &&
                   (int)CW_HOLES_TRUST == (int)HOLE_POLICY_TRUST &&
                   (int)CW_HOLES_SCAN == (int)HOLE_POLICY_SCAN,
               "the API's policies are those of io/");

void disk_options_image(const struct cw_source_options *options,
                        struct image_options *image)
{
    *image = (struct image_options){
        .path = options->image,
        .mode = (enum file_mode)options->tuning.io_mode,
        .holes = (enum hole_policy)options->tuning.holes,
        .format = (enum image_format)options->format,
        .compression = (enum image_compression)options->compression,
        .stream_bytes = options->stream_bytes,
        .backing_dir = options->backing_dir,
        .allow_in_use = options->allow_in_use,
        .cross_check = options->cross_check,
    };
}

void disk_options_sink(const struct cw_target_options *options,
                       struct sink_options *sink)
{
    *sink = (struct sink_options){
        .path = options->destination,
        .mode = (enum file_mode)options->tuning.io_mode,
        .overwrite = options->overwrite,
        .delta = options->delta,
        .keep_tail = options->keep_tail,
        .target_is_zero = options->target_is_zero,
        .overcommit = options->overcommit,
        .preallocate = (enum sink_preallocate)options->preallocate,
        .overhead_ppm = options->fs_overhead_ppm,
        .size_bytes = options->size_bytes,
        .size_max = options->size_max,
    };
    if (options->volume_bytes == 0)
        return;
    sink->size_max = true;
    sink->size_bytes = sizing_usable(options->volume_bytes,
                                     options->fs_overhead_ppm);
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
