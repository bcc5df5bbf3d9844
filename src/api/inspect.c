/* inspect.c - queries that need no peer. */
#include <stdio.h>

#include "api/jobs.h"
#include "plan/sizing.h"
#include "transfer/disk_options.h"

#define MAP_STEP_BYTES (UINT64_C(1) << 30)

static int fill_inspection(struct image *image, struct cw_inspection *out,
                           struct error *err)
{
    if (disk_options_measure(image, &out->data_bytes, err) < 0)
        return -1;
    snprintf(out->format, sizeof(out->format), "%s", image->format_text);
    out->virtual_bytes = image->virtual_bytes;
    out->zero_bytes = image->virtual_bytes - out->data_bytes;
    out->allocated_bytes = image->host_bytes;
    out->block_volume_bytes = image->virtual_bytes;
    if (sizing_required(&out->file_volume_bytes, image->virtual_bytes,
                        out->fs_overhead_ppm))
        return error_set(err, ERROR_FORMAT, 0,
                         "%s: a disk of that size fits no volume", image->path);
    return 0;
}

int source_inspect(const struct cw_source_options *options,
                   uint32_t fs_overhead_ppm, struct cw_inspection *inspection,
                   struct error *err)
{
    struct image_options wish;
    struct image *image;
    int r;

    *inspection = (struct cw_inspection){ .fs_overhead_ppm = fs_overhead_ppm };
    disk_options_image(options, &wish);
    wish.allow_in_use = true; /* a size and a map harm nothing */
    if (image_open(&wish, &image, err) < 0)
        return -1;
    r = fill_inspection(image, inspection, err);
    image_close(image);
    return r;
}

/* Joins adjacent extents of one kind over the steps of the map. */
struct extent_merge {
    int (*each)(void *opaque, uint64_t offset, uint64_t length, bool is_zero);
    void *opaque;
    struct extent pending; /* length 0: none */
};

static int emit_pending(struct extent_merge *merge, struct error *err)
{
    const struct extent *e = &merge->pending;

    if (e->length == 0 || merge->each(merge->opaque, e->offset, e->length,
                                      e->kind == EXTENT_ZERO) >= 0)
        return 0;
    return error_set(err, ERROR_SYSTEM, 0, "print the map");
}

static int merge_list(struct extent_merge *merge,
                      const struct extent_list *list, struct error *err)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct extent *e = &list->items[i];

        if (merge->pending.length > 0 && merge->pending.kind == e->kind) {
            merge->pending.length += e->length;
            continue;
        }
        if (emit_pending(merge, err) < 0)
            return -1;
        merge->pending = *e;
    }
    return 0;
}

static int merge_image(struct extent_merge *merge, struct image *image,
                       struct error *err)
{
    struct extent_list list = { 0 };
    uint64_t size = image->virtual_bytes;
    int r = 0;

    for (uint64_t at = 0; at < size && r == 0;) {
        uint64_t step = size - at < MAP_STEP_BYTES ? size - at : MAP_STEP_BYTES;

        extent_list_clear(&list);
        r = image_map(image, at, step, &list, err);
        if (r == 0)
            r = merge_list(merge, &list, err);
        at += step;
    }
    extent_list_fini(&list);
    return r < 0 ? -1 : emit_pending(merge, err);
}

int source_map(const struct cw_source_options *options,
               int (*each)(void *opaque, uint64_t offset, uint64_t length,
                           bool is_zero),
               void *opaque, struct error *err)
{
    struct extent_merge merge = { .each = each, .opaque = opaque };
    struct image_options wish;
    struct image *image;
    int r;

    disk_options_image(options, &wish);
    wish.allow_in_use = true; /* a size and a map harm nothing */
    if (image_open(&wish, &image, err) < 0)
        return -1;
    r = merge_image(&merge, image, err);
    image_close(image);
    return r;
}

int target_plan(const struct cw_target_options *options, uint64_t source_bytes,
                struct cw_plan *plan, struct error *err)
{
    struct sizing_verdict verdict = { 0 };
    struct sink_options wish;
    int r;

    disk_options_sink(options, &wish);
    r = sink_plan(&wish, source_bytes, &verdict, err);
    *plan = (struct cw_plan){
        .is_block_device = verdict.is_block_device,
        .disk_bytes = verdict.disk_bytes,
        .fs_overhead_ppm = verdict.overhead_ppm,
        .space = {
            .need_bytes = verdict.need_bytes,
            .have_bytes = verdict.have_bytes,
            .usable_bytes = verdict.usable_bytes,
            .shortfall_bytes = verdict.shortfall_bytes,
            .volume_bytes = verdict.volume_bytes,
        },
    };
    return r;
}
