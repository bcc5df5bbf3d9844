/* Any first and last sector: always one of the known names. */
#include "fuzz.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "image/probe.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    size_t tail_len = len >= PROBE_TAIL_BYTES ? PROBE_TAIL_BYTES : 0;
    size_t head_len = len < PROBE_HEAD_BYTES ? len : PROBE_HEAD_BYTES;
    /* Exactly as long as it says, so that a sanitizer sees one byte more. */
    uint8_t *head = malloc(head_len + 1);
    struct probe probe;

    if (!head)
        return 0;
    head[0] = 0;
    if (head_len > 0)
        memcpy(head + 1, data, head_len);
    probe = probe_content(head + 1, head_len, data + len - tail_len, tail_len);
    assert(probe.name && probe.kind <= PROBE_FOREIGN);
    free(head);
    return 0;
}
