/* rate_limit.h - limits the total rate of all lanes.  Any thread. */
#ifndef CW_JOB_RATE_LIMIT_H
#define CW_JOB_RATE_LIMIT_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define RATE_LIMIT_MIN_BYTES UINT64_C(65536) /* per second */

struct rate_limit {
    _Atomic uint64_t bytes_per_second; /* 0: no limit */
    _Atomic uint64_t free_ns; /* when all admitted bytes will have passed */
};

/* Sets the rate from now on; waiting lanes continue at once. */
void rate_limit_set(struct rate_limit *limit, uint64_t bytes_per_second);

/* The time at which bytes that arrive at now_ns may pass.  It may be slightly in
 * the past, to make up for short pauses. */
uint64_t rate_limit_admit(struct rate_limit *limit, uint64_t bytes,
                          uint64_t now_ns);

/* How many bytes to send at once: a quarter of a second's worth, and at least a
 * TLS record (16 KiB); SIZE_MAX: no limit. */
size_t rate_limit_piece(const struct rate_limit *limit);

/* Waits until bytes may pass, or stop_fd becomes readable.  Returns how long
 * it took, in nanoseconds. */
uint64_t rate_limit_wait(struct rate_limit *limit, uint64_t bytes, int stop_fd);

/*
 * Reads "10MiB" or "off" (0: no limit) from the file at path.
 * ERROR_USAGE: the file cannot be read, is not valid, or has less than
 * RATE_LIMIT_MIN_BYTES.
 */
int rate_limit_read(const char *path, uint64_t *bytes_per_second,
                    struct error *err);

#endif
