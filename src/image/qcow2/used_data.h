/* used_data.h - the data of a sequentially read QCOW2 that has been returned:
 * the spool does not need it. */
#ifndef CW_IMAGE_QCOW2_USED_DATA_H
#define CW_IMAGE_QCOW2_USED_DATA_H

#include <stdint.h>

#include "io/spool.h"

struct used_data {
    struct spool *spool; /* borrowed; NULL: nothing is freed */
    uint64_t begin, end; /* of the file: the last run of adjacent data */
};

/*
 * Records [host, host+length) as used, exactly: between two adjacent pieces
 * there is no room for data of a table that is still to come.
 */
void used_data_note(struct used_data *used, uint64_t host, uint64_t length);

/* Frees the run up to position.  Call it while no chunk is incomplete. */
void used_data_free(struct used_data *used, uint64_t position);

#endif
