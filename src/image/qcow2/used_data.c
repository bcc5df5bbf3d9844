#include "image/qcow2/used_data.h"

#define PUNCH_BYTES (UINT64_C(4) << 20)

void used_data_note(struct used_data *used, uint64_t host, uint64_t length)
{
    if (host != used->end)
        used->begin = host;
    used->end = host + length;
}

void used_data_free(struct used_data *used, uint64_t position)
{
    uint64_t end = position < used->end ? position : used->end;

    if (!used->spool || end < used->begin + PUNCH_BYTES)
        return;
    spool_punch(used->spool, used->begin, end - used->begin);
    used->begin = end;
}
