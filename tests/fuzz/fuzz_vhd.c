/* A whole VHD: refused, or every block lies in the file and disk. */
#include "fuzz_blocks.h"
#include "image/vhd/vhd.h"

static void mend_sum(struct sparse_input *input, uint64_t at, size_t len,
                     size_t sum_at)
{
    uint32_t sum = 0;

    if (at > input->len || len > input->len - at)
        return;
    memset(input->bytes + at + sum_at, 0, 4);
    for (size_t i = 0; i < len; i++)
        sum += input->bytes[at + i];
    put_be32(input->bytes + at + sum_at, ~sum);
}

static void mend(struct sparse_input *input)
{
    if (input->len < 512)
        return;
    mend_sum(input, 0, 512, 64);
    mend_sum(input, get_be64(input->bytes + 16), 1024, 36);
    if (memcmp(input->bytes, "conectix", 8) != 0)
        mend_sum(input, input->len - 512, 512, 64);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    return fuzz_blocks(&vhd_format, mend, data, len);
}
