/*
 * buffer_pool.h - a fixed number of aligned buffers, leased and returned.
 *
 * The pool is the only backpressure there is: no free buffer, no new read.
 * It belongs to one lane.  Each buffer has BUFFER_POOL_HEADROOM_BYTES of memory in
 * front of it that its holder may also write (a frame header goes there, so
 * header and payload leave in one send).
 */
#ifndef CW_IO_BUFFER_POOL_H
#define CW_IO_BUFFER_POOL_H

#include <stddef.h>
#include <stdint.h>

#define BUFFER_POOL_HEADROOM_BYTES 4096U

struct buffer_pool;

/*
 * count buffers of buffer_bytes each (a multiple of 4096), page-aligned, in
 * one anonymous mapping.  NULL when there is no memory.
 */
struct buffer_pool *buffer_pool_open(unsigned count, size_t buffer_bytes);

/* Buffers still out go with it: nothing may be in flight.  Tolerates NULL. */
void buffer_pool_close(struct buffer_pool *pool);

/* A buffer, leased until buffer_pool_return(), contents undefined; NULL when all
 * are out. */
uint8_t *buffer_pool_lease(struct buffer_pool *pool);
void buffer_pool_return(struct buffer_pool *pool, uint8_t *buf);

/* Buffers out at the moment. */
unsigned buffer_pool_leased(const struct buffer_pool *pool);

/* The whole mapping, for ring registration. */
void *buffer_pool_region(const struct buffer_pool *pool, size_t *len);

#endif
