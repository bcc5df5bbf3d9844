/*
 * buffer_pool.h - a fixed number of aligned buffers, leased and returned.
 *
 * The pool is the only backpressure there is: no free buffer, no new read.
 * It belongs to one lane.  Each buffer has POOL_HEADROOM_BYTES of memory in
 * front of it that its holder may also write (a frame header goes there, so
 * header and payload leave in one send).
 */
#ifndef CW_IO_BUFFER_POOL_H
#define CW_IO_BUFFER_POOL_H

#include <stddef.h>
#include <stdint.h>

#define POOL_HEADROOM_BYTES 4096U

struct pool;

/*
 * count buffers of buffer_bytes each (a multiple of 4096), page-aligned, in
 * one anonymous mapping.  NULL when there is no memory.
 */
struct pool *pool_open(unsigned count, size_t buffer_bytes);

/* Buffers still out go with it: nothing may be in flight.  Tolerates NULL. */
void pool_close(struct pool *pool);

/* A buffer, leased until pool_return(), contents undefined; NULL when all
 * are out. */
uint8_t *pool_lease(struct pool *pool);
void pool_return(struct pool *pool, uint8_t *buf);

/* Buffers out at the moment. */
unsigned pool_leased(const struct pool *pool);

/* The whole mapping, for ring registration. */
void *pool_region(const struct pool *pool, size_t *len);

#endif
