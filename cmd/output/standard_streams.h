/*
 * standard_streams.h - descriptors 0 to 2: always there, and stdout checked.
 */
#ifndef CW_OUTPUT_STANDARD_STREAMS_H
#define CW_OUTPUT_STANDARD_STREAMS_H

/*
 * Opens /dev/null in the place of each of descriptors 0, 1 and 2 that the
 * process was started without, as glibc does for setuid programs: the next
 * file to be opened, a disk perhaps, would else get the number and with it
 * what is meant for stdout or stderr.  Reading such a stdin and writing to
 * such a stdout or stderr fails.  The first call of every main(); ends the
 * process with status 1 where there is no /dev/null.
 *
 * stdout is buffered whole, for standard_streams_flush() to be where it may
 * fail or wait.
 */
void standard_streams_open(void);

/*
 * Writes out what was printed on stdout so far.  0; or -errno: some of it,
 * now or earlier, did not get where it goes.  -ETIMEDOUT: its reader stood
 * still for timeout_ms, and what waited for it is dropped; -1: no limit.
 */
int standard_streams_flush(int timeout_ms);

#endif
