/* qcow2_input.h - a harness's input as the file of a QCOW2. */
#ifndef CW_TESTS_QCOW2_INPUT_H
#define CW_TESTS_QCOW2_INPUT_H

#include <stdbool.h>

#include "image/qcow2/check.h"

struct qcow2_input {
    const uint8_t *data;
    size_t len;
};

/* Returns true if the image passes all checks.  The caller frees map, which
 * starts zeroed, in any case. */
static bool qcow2_input_open(struct image_host *host, struct qcow2_map *map,
                             struct qcow2_summary *summary, struct error *err)
{
    struct qcow2_header header;

    return qcow2_header_read(host, &header, err) == 0 &&
           qcow2_map_init(map, host, &header, err) == 0 &&
           qcow2_check(map, summary, err) == 0;
}

#endif
