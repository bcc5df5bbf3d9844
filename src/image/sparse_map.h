/*
 * sparse_map.h - finds the data of a sparse file with SEEK_DATA and SEEK_HOLE.
 *
 * The map remembers the last answer: a long hole costs one system call, not
 * one per chunk.  Belongs to one thread.
 */
#ifndef CW_IMAGE_SPARSE_MAP_H
#define CW_IMAGE_SPARSE_MAP_H

#include <stdbool.h>
#include <stdint.h>

#include "clonewire/clonewire.h"
#include "io/file.h"
#include "io/hole_check.h"
#include "plan/extent.h"

struct sparse_map {
    int fd; /* borrowed */
    uint64_t size_bytes;
    bool is_dense;       /* device, filesystem without holes, or: */
    bool reads_holes;    /* its holes are not trusted, or must be read */
    struct extent known; /* the last answer; length 0: none yet */
};

/* Starts a map that trusts every hole of file. */
void sparse_map_init(struct sparse_map *holes, const struct file *file);

/*
 * Applies policy to the file (hole_check_may_skip()), once, before the first
 * sparse_map_at().  Holes that may not be skipped count as data from then on.
 */
void sparse_map_check(struct sparse_map *holes, enum cw_holes policy,
                      const char *path);

/*
 * As sparse_map_check(), with the result of like, a map of the same file.
 * Starts from the last answer of like if that was data: a filesystem in memory
 * looks at every page to find the end of a dense disk.  Stale data only costs
 * a read.  A hole is looked up again, as it may have been written since.
 */
void sparse_map_learn(struct sparse_map *holes, const struct sparse_map *like);

/*
 * Finds the run of data or hole that begins at offset, which is inside the
 * file. Edges are exact.  Returns 0 or -errno; -ENODATA: the file was
 * truncated (the missing part is never reported as a hole).
 */
int sparse_map_at(struct sparse_map *holes, uint64_t offset,
                  struct extent *run);

/*
 * Appends run to out.  A zero run is rounded inwards to whole blocks (4 KiB),
 * and its edges become data.  The end of the disk counts as a block boundary.
 */
int sparse_map_add_rounded(struct extent_list *out, const struct extent *run,
                           uint64_t virtual_bytes, struct error *err);

#endif
