/*
 * buffer_pool.h - a fixed number of aligned buffers, leased and returned.
 *
 * The pool is the only backpressure: no free buffer, no new read.  It belongs
 * to one lane.  Each buffer has BUFFER_POOL_HEADROOM_BYTES of memory in front
 * of it that its holder may also write (a frame header goes there, so header
 * and payload leave in one send).
 */
#ifndef CW_IO_BUFFER_POOL_H
#define CW_IO_BUFFER_POOL_H

#include <stddef.h>
#include <stdint.h>

#define BUFFER_POOL_HEADROOM_BYTES 4096U

struct buffer_pool;

/* Allocates count page-aligned buffers of buffer_bytes each (a multiple of
 * 4096) in one anonymous mapping.  Returns NULL if out of memory. */
struct buffer_pool *buffer_pool_open(unsigned count, size_t buffer_bytes);

/* Frees leased buffers as well: no I/O may be in flight.  Accepts NULL. */
void buffer_pool_close(struct buffer_pool *pool);

/* Leases a buffer until buffer_pool_return(); its contents are undefined.
 * Returns NULL if all buffers are leased. */
uint8_t *buffer_pool_lease(struct buffer_pool *pool);
void buffer_pool_return(struct buffer_pool *pool, uint8_t *buf);

/* Number of buffers leased at the moment. */
unsigned buffer_pool_leased(const struct buffer_pool *pool);

/* The whole mapping, to register with io_uring. */
void *buffer_pool_region(const struct buffer_pool *pool, size_t *len);

#endif
