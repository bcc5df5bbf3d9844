/*
 * table_cache.h - the tables of a QCOW2 that lies in a stream, kept in
 * memory: what the first walk has read is not decoded again.
 *
 * Filled by the first image, then only looked into: lanes share it.
 */
#ifndef CW_IMAGE_QCOW2_TABLE_CACHE_H
#define CW_IMAGE_QCOW2_TABLE_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct qcow2_table_cache;

/* NULL when there is no memory. */
struct qcow2_table_cache *qcow2_table_cache_open(void);

/* Tolerates NULL. */
void qcow2_table_cache_close(struct qcow2_table_cache *tables);

/* Fills buf and returns true when exactly this part has been kept. */
bool qcow2_table_cache_get(const struct qcow2_table_cache *tables, void *buf,
                           size_t len, uint64_t offset);

/* Keeps a copy, as long as all together stay below 32 MiB (the tables of 256
 * GiB at clusters of 64 KiB) and there is memory. */
void qcow2_table_cache_keep(struct qcow2_table_cache *tables, const void *buf,
                            size_t len, uint64_t offset);

#endif
