/*
 * table_cache.h - keeps the tables of an image in a stream in memory: tables
 * that the first walk has read are not decoded again.
 *
 * The first image fills it.  After that it is read-only, and lanes share it.
 */
#ifndef CW_IMAGE_TABLE_CACHE_H
#define CW_IMAGE_TABLE_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct table_cache;

/* NULL: out of memory. */
struct table_cache *table_cache_open(void);

/* Tolerates NULL. */
void table_cache_close(struct table_cache *tables);

/* Fills buf and returns true if exactly this part has been kept. */
bool table_cache_get(const struct table_cache *tables, void *buf, size_t len,
                     uint64_t offset);

/* Keeps a copy, as long as the total stays below 32 MiB (the tables of 256 GiB
 * at clusters of 64 KiB) and memory is available. */
void table_cache_keep(struct table_cache *tables, const void *buf, size_t len,
                      uint64_t offset);

#endif
