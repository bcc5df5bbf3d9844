/* rate_limit.h - keeps all lanes together below a rate.  Any thread. */
#ifndef CW_JOB_RATE_LIMIT_H
#define CW_JOB_RATE_LIMIT_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define RATE_LIMIT_MIN_BYTES UINT64_C(65536) /* a second */

struct rate_limit {
    _Atomic uint64_t bytes_per_second; /* 0: as fast as it goes */
    _Atomic uint64_t free_ns; /* when what was admitted will have passed */
};

/* From now on; who waits goes on at once. */
void rate_limit_set(struct rate_limit *limit, uint64_t bytes_per_second);

/* When bytes that come at now_ns may pass; perhaps a little in the past, as
 * short pauses are made up for. */
uint64_t rate_limit_admit(struct rate_limit *limit, uint64_t bytes,
                          uint64_t now_ns);

/* What is best sent at once: so much as passes in a quarter of a second, but a
 * TLS record (16 KiB) at least; SIZE_MAX: as much as there is. */
size_t rate_limit_piece(const struct rate_limit *limit);

/* Waits until bytes may pass, or stop_fd becomes readable.  Returns how long
 * it took, in nanoseconds. */
uint64_t rate_limit_wait(struct rate_limit *limit, uint64_t bytes, int stop_fd);

/*
 * Reads "10MiB" or "off" (0: as fast as it goes) from the file at path.
 * ERROR_USAGE: there is none, it says something else, or less than
 * RATE_LIMIT_MIN_BYTES.
 */
int rate_limit_read(const char *path, uint64_t *bytes_per_second,
                    struct error *err);

#endif
