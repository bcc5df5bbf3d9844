/*
 * sparse_map.h - where a sparse file has data: SEEK_DATA and SEEK_HOLE.
 *
 * The last answer is remembered, so that asking chunk by chunk through a
 * long hole costs one system call, not one per chunk.  Belongs to one
 * thread.
 */
#ifndef CW_IMAGE_SPARSE_MAP_H
#define CW_IMAGE_SPARSE_MAP_H

#include <stdbool.h>
#include <stdint.h>

#include "io/file.h"
#include "io/hole_check.h"
#include "plan/extent.h"

struct sparse_map {
    int fd; /* borrowed */
    uint64_t size_bytes;
    bool is_dense;       /* device, a filesystem that cannot tell, or: */
    bool reads_holes;    /* its holes are not believed, or are to be read */
    struct extent known; /* the last answer; length 0: none yet */
};

/* Of a file as it was opened: every hole is believed. */
void sparse_map_init(struct sparse_map *holes, const struct file *file);

/*
 * Applies policy to the file (hole_check_may_skip()), once, before the first
 * sparse_map_at(): holes that may not be skipped are data from then on.
 */
void sparse_map_check(struct sparse_map *holes, enum hole_policy policy,
                      const char *path);

/*
 * As sparse_map_check(), with the result of like, which asks about the same
 * file.  Begins with the last answer of like, if that was data: a filesystem
 * in memory finds the end of a dense disk by looking at every page.  Data
 * believed in vain are only read; a hole is asked for again, as it may have
 * been written since.
 */
void sparse_map_learn(struct sparse_map *holes, const struct sparse_map *like);

/*
 * The run of data or hole that begins at offset, which is inside the file.
 * Edges are exact.  Returns 0 or -errno; -ENODATA: the file has become
 * shorter than it was (a hole is never invented for what was cut off).
 */
int sparse_map_at(struct sparse_map *holes, uint64_t offset,
                  struct extent *run);

/*
 * Appends run to out, a zero run rounded inwards to the grain of the grid:
 * what is left at its edges is data.  The end of the disk counts as an edge
 * of the grain.
 */
int sparse_map_add_rounded(struct extent_list *out, const struct extent *run,
                           uint64_t virtual_bytes, struct error *err);

#endif
