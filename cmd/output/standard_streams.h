/*
 * standard_streams.h - keeps descriptors 0 to 2 open, and checks stdout.
 */
#ifndef CW_OUTPUT_STANDARD_STREAMS_H
#define CW_OUTPUT_STANDARD_STREAMS_H

#include <stddef.h>

/*
 * Opens /dev/null for each of descriptors 0, 1 and 2 that is closed, as glibc
 * does for setuid programs.  Otherwise the next open file, such as a disk,
 * would get the number and the output for stdout or stderr.  Reading such a
 * stdin and writing to such a stdout or stderr fails.  Call it first in main();
 * it exits with status 1 if there is no /dev/null.
 *
 * stdout is fully buffered, so that only standard_streams_flush() can fail or
 * wait.
 */
void standard_streams_open(void);

/*
 * Flushes stdout.  Returns 0, or -errno if a write failed, now or earlier.
 * -ETIMEDOUT: the reader stalled for timeout_ms (-1: no limit), and the
 * remaining data is dropped.
 */
int standard_streams_flush(int timeout_ms);

/* Writes n bytes to fd, and waits for its reader.  Returns 0 or -errno. */
int standard_streams_write(int fd, const char *text, size_t n);

#endif
