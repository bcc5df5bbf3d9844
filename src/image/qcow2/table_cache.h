/*
 * table_cache.h - keeps the tables of a QCOW2 in a stream in memory: tables
 * that the first walk has read are not decoded again.
 *
 * The first image fills it.  After that it is read-only, and lanes share it.
 */
#ifndef CW_IMAGE_QCOW2_TABLE_CACHE_H
#define CW_IMAGE_QCOW2_TABLE_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct qcow2_table_cache;

/* NULL: out of memory. */
struct qcow2_table_cache *qcow2_table_cache_open(void);

/* Tolerates NULL. */
void qcow2_table_cache_close(struct qcow2_table_cache *tables);

/* Fills buf and returns true if exactly this part has been kept. */
bool qcow2_table_cache_get(const struct qcow2_table_cache *tables, void *buf,
                           size_t len, uint64_t offset);

/* Keeps a copy, as long as the total stays below 32 MiB (the tables of 256 GiB
 * at clusters of 64 KiB) and memory is available. */
void qcow2_table_cache_keep(struct qcow2_table_cache *tables, const void *buf,
                            size_t len, uint64_t offset);

#endif
