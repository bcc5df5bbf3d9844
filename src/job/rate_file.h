/*
 * rate_file.h - the rate a source keeps below: as given, or as a file says, which
 * is read again when the user asks for it.
 */
#ifndef CW_JOB_RATE_FILE_H
#define CW_JOB_RATE_FILE_H

#include <stdint.h>

#include "base/error.h"

#define RATE_FILE_LEAST_BYTES UINT64_C(65536) /* a second */

/*
 * Reads "10MiB" or "off" (0: as fast as it goes) from the file at path.
 * ERROR_USAGE: there is none, it says something else, or less than
 * RATE_FILE_LEAST_BYTES.
 */
int rate_file_read(const char *path, uint64_t *bytes_per_second,
                   struct error *err);

#endif
