/*
 * extent.h - a list of adjacent extents of a disk, data or zero.  Pure.
 *
 * A list belongs to one thread; the caller embeds it zeroed and frees it with
 * extent_list_fini().
 */
#ifndef CW_PLAN_EXTENT_H
#define CW_PLAN_EXTENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum extent_kind {
    EXTENT_DATA, /* bytes to read */
    EXTENT_ZERO, /* known to read as zero: never read, never sent */
};

struct extent {
    uint64_t offset; /* byte of the disk */
    uint64_t length; /* > 0 */
    enum extent_kind kind;
};

struct extent_list {
    struct extent *items; /* owned; ascending, adjacent */
    size_t count;
    size_t capacity;
};

/*
 * Appends [offset, offset+length), which must begin where the list ends.
 * Merges it into the last extent if both are of one kind; length 0 adds
 * nothing.  Fails with ERROR_SYSTEM if out of memory.
 */
int extent_list_add(struct extent_list *list, uint64_t offset, uint64_t length,
                    enum extent_kind kind, struct error *err);

/* Removes the extents, keeps the memory. */
void extent_list_clear(struct extent_list *list);

void extent_list_fini(struct extent_list *list);

/* Sum of the lengths of one kind. */
uint64_t extent_list_bytes(const struct extent_list *list,
                           enum extent_kind kind);

#endif
