#include "image/sparse_map.h"

#include <assert.h>
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/checked.h"
#include "plan/chunk_grid.h"

void sparse_map_init(struct sparse_map *holes, const struct file *file)
{
    *holes = (struct sparse_map){
        .fd = file->fd,
        .size_bytes = file->size_bytes,
        .is_dense = file->is_block_device,
    };
}

void sparse_map_check(struct sparse_map *holes, enum cw_holes policy,
                      const char *path)
{
    if (holes->is_dense ||
        hole_check_may_skip(policy, holes->fd, holes->size_bytes, path))
        return;
    holes->is_dense = holes->reads_holes = true;
}

void sparse_map_learn(struct sparse_map *holes, const struct sparse_map *like)
{
    holes->is_dense = like->is_dense;
    holes->reads_holes = like->reads_holes;
    if (like->known.kind == EXTENT_DATA &&
        like->size_bytes == holes->size_bytes)
        holes->known = like->known;
}

/* Remembers [offset, end), cut at the size that the file had when opened. */
static void remember(struct sparse_map *holes, uint64_t offset, uint64_t end,
                     enum extent_kind kind)
{
    if (end > holes->size_bytes)
        end = holes->size_bytes;
    holes->known = (struct extent){ offset, end - offset, kind };
}

/* lseek() gives ENXIO for a trailing hole and also after a truncation. */
static int remember_last_hole(struct sparse_map *holes, uint64_t offset)
{
    struct stat st;

    if (fstat(holes->fd, &st) < 0)
        return -errno;
    if ((uint64_t)st.st_size < holes->size_bytes)
        return -ENODATA;
    remember(holes, offset, holes->size_bytes, EXTENT_ZERO);
    return 0;
}

static int look(struct sparse_map *holes, uint64_t offset)
{
    off_t data, hole;

    data = lseek(holes->fd, (off_t)offset, SEEK_DATA);
    if (data < 0 && errno == ENXIO)
        return remember_last_hole(holes, offset);
    if (data > (off_t)offset) {
        remember(holes, offset, (uint64_t)data, EXTENT_ZERO);
        return 0;
    }
    hole = data < 0 ? -1 : lseek(holes->fd, (off_t)offset, SEEK_HOLE);
    if (hole <= (off_t)offset) {
        /* This filesystem does not report holes: read everything. */
        holes->is_dense = true;
        return 0;
    }
    remember(holes, offset, (uint64_t)hole, EXTENT_DATA);
    return 0;
}

int sparse_map_at(struct sparse_map *holes, uint64_t offset, struct extent *run)
{
    const struct extent *known = &holes->known;
    int r;

    assert(offset < holes->size_bytes);
    if (!holes->is_dense &&
        (offset < known->offset || offset - known->offset >= known->length)) {
        r = look(holes, offset);
        if (r < 0)
            return r;
    }
    if (holes->is_dense)
        remember(holes, offset, holes->size_bytes, EXTENT_DATA);

    *run = (struct extent){
        .offset = offset,
        .length = known->offset + known->length - offset,
        .kind = known->kind,
    };
    return 0;
}

int sparse_map_add_rounded(struct extent_list *out, const struct extent *run,
                           uint64_t virtual_bytes, struct error *err)
{
    uint64_t begin = run->offset;
    uint64_t end = run->offset + run->length;
    uint64_t zero_begin, zero_end;

    if (run->kind == EXTENT_DATA)
        return extent_list_add(out, begin, end - begin, EXTENT_DATA, err);

    if (ckd_align_up(&zero_begin, begin, BLOCK_BYTES) || zero_begin > end)
        zero_begin = end;
    zero_end = end == virtual_bytes ? end : end & ~(BLOCK_BYTES - 1);
    if (zero_end < zero_begin)
        zero_end = zero_begin;

    if (extent_list_add(out, begin, zero_begin - begin, EXTENT_DATA, err) < 0)
        return -1;
    if (extent_list_add(out, zero_begin, zero_end - zero_begin, EXTENT_ZERO,
                        err) < 0)
        return -1;
    return extent_list_add(out, zero_end, end - zero_end, EXTENT_DATA, err);
}
