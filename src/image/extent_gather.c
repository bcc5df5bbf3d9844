#include "image/extent_gather.h"

#include <inttypes.h>

int extent_gather_end(struct extent_gather *gather, struct error *err)
{
    struct extent run = gather->zeros;

    gather->zeros.length = 0;
    if (run.length == 0)
        return 0;
    return sparse_map_add_rounded(gather->out, &run, gather->virtual_bytes,
                                  err);
}

int extent_gather_add(struct extent_gather *gather, const struct extent *piece,
                      struct error *err)
{
    if (piece->kind == EXTENT_ZERO) {
        if (gather->zeros.length == 0)
            gather->zeros = *piece;
        else
            gather->zeros.length += piece->length;
        return 0;
    }
    if (extent_gather_end(gather, err) < 0)
        return -1;
    return extent_list_add(gather->out, piece->offset, piece->length,
                           EXTENT_DATA, err);
}

int extent_gather_add_stored(struct extent_gather *gather,
                             struct sparse_map *holes,
                             const struct extent *piece, uint64_t host_offset,
                             const char *path, struct error *err)
{
    struct extent part;

    for (uint64_t done = 0; done < piece->length; done += part.length) {
        int r = sparse_map_at(holes, host_offset + done, &part);

        if (r < 0)
            return error_set_at(err, ERROR_SOURCE_IO, -r, piece->offset + done,
                                "look for holes of %s at %" PRIu64, path,
                                host_offset + done);
        part.offset = piece->offset + done;
        if (part.length > piece->length - done)
            part.length = piece->length - done;
        if (extent_gather_add(gather, &part, err) < 0)
            return -1;
    }
    return 0;
}
