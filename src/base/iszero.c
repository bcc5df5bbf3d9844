#include "base/iszero.h"

#include <stdint.h>
#include <string.h>

#define STRIDE_WORDS 32 /* 256 bytes between two tests of the result */

static uint64_t load(const unsigned char *p)
{
    uint64_t word;

    memcpy(&word, p, sizeof(word));
    return word;
}

bool iszero(const void *p, size_t len)
{
    const unsigned char *at = p;

    while (len >= STRIDE_WORDS * sizeof(uint64_t)) {
        uint64_t seen = 0;

        for (size_t i = 0; i < STRIDE_WORDS; i++)
            seen |= load(at + i * sizeof(uint64_t));
        if (seen != 0)
            return false;
        at += STRIDE_WORDS * sizeof(uint64_t);
        len -= STRIDE_WORDS * sizeof(uint64_t);
    }
    for (; len > 0; len--)
        if (*at++ != 0)
            return false;
    return true;
}
