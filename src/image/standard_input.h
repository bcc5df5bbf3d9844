/* standard_input.h - an image that another program pipes into this one. */
#ifndef CW_IMAGE_STANDARD_INPUT_H
#define CW_IMAGE_STANDARD_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"

/* False: standard input is a file or device, read by offset, or is closed. */
bool standard_input_is_pipe(void);

/* As byte_source.read. opaque: a file descriptor that becomes readable when
 * the read must be abandoned (ERROR_CANCELLED); 0: none. */
ssize_t standard_input_read(void *opaque, void *buf, size_t len,
                            struct error *err);

#endif
