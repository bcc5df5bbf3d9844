#include "resume/changed_extents.h"

#include <inttypes.h>

#include "base/log.h"
#include "io/extent_file.h"
#include "plan/chunk_grid.h"

static int add_changed(void *opaque, uint64_t offset, uint64_t length,
                       struct error *err)
{
    uint64_t first = offset / CHUNK_BYTES;
    uint64_t last = (offset + length - 1) / CHUNK_BYTES;

    (void)err;
    chunk_bitmap_add(opaque, first, last - first + 1);
    return 0;
}

int changed_extents_read(const char *path, uint64_t virtual_bytes,
                         struct chunk_bitmap *changed, struct error *err)
{
    struct extent_file_options list = {
        .path = path,
        .purpose = EXTENT_FILE_CHANGED,
        .disk_bytes = virtual_bytes,
        .add = add_changed,
        .opaque = changed,
    };

    if (chunk_bitmap_init(changed, chunk_grid_count(virtual_bytes), err) < 0 ||
        extent_file_read(&list, err) < 0)
        return -1;
    log_info("%s: %" PRIu64 " entries (format: %s) name %" PRIu64
             " changed bytes",
             path, list.entries, list.format, list.bytes);
    return 0;
}
