#include "plan/gpt.h"

#include <stdbool.h>
#include <string.h>

/* UEFI specification 2.10, 5.3.2: integers are little-endian. */
#define SIGNATURE       "EFI PART"
#define SIGNATURE_BYTES 8U
#define HEADER_BYTES    92U
#define AT_HEADER_SIZE  12U
#define AT_MY_LBA       24U

static uint64_t get_le(const uint8_t *p, unsigned bytes)
{
    uint64_t value = 0;

    while (bytes-- > 0)
        value = value << 8 | p[bytes];
    return value;
}

/* The primary header records that it is in sector 1. */
static bool is_primary_header(const uint8_t *p, uint32_t sector_bytes)
{
    uint64_t header_bytes = get_le(p + AT_HEADER_SIZE, 4);

    return memcmp(p, SIGNATURE, SIGNATURE_BYTES) == 0 &&
           header_bytes >= HEADER_BYTES && header_bytes <= sector_bytes &&
           get_le(p + AT_MY_LBA, 8) == 1;
}

uint32_t gpt_sector_bytes(const uint8_t *head, size_t len)
{
    static const uint32_t sizes[] = { 512, 4096 };

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
        if (len >= sizes[i] + HEADER_BYTES &&
            is_primary_header(head + sizes[i], sizes[i]))
            return sizes[i];
    return 0;
}

uint32_t gpt_misfit(const uint8_t *head, size_t len, uint32_t sector_bytes)
{
    uint32_t made_for = gpt_sector_bytes(head, len);

    return made_for == sector_bytes ? 0 : made_for;
}
