/* standard_input.h - an image that another program pipes into this one. */
#ifndef CW_IMAGE_STANDARD_INPUT_H
#define CW_IMAGE_STANDARD_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"

/* False: it is a file or device, read by its descriptor, or it is closed. */
bool standard_input_is_pipe(void);

/*
 * As image_input.read.  opaque: the number of a descriptor that is readable as
 * soon as nobody waits for input any more (ERROR_CANCELLED); 0: never.
 */
ssize_t standard_input_read(void *opaque, void *buf, size_t len,
                            struct error *err);

#endif
