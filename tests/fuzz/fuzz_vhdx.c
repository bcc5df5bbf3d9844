/* A whole VHDX: refused, or every block lies in the file and disk. */
#include "fuzz_blocks.h"
#include "image/vhdx/vhdx.h"
#include "wire/crc32c.h"

static void mend(struct sparse_input *input)
{
    static const struct {
        size_t at, len;
    } parts[] = {
        { 64 << 10, 4096 },
        { 128 << 10, 4096 },
        { 192 << 10, 65536 },
        { 256 << 10, 65536 },
    };

    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        uint8_t *at = input->bytes + parts[i].at;
        uint32_t crc;

        if (parts[i].at + parts[i].len > input->len)
            return;
        memset(at + 4, 0, 4);
        crc = htole32(crc32c(0, at, parts[i].len));
        memcpy(at + 4, &crc, sizeof(crc));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    return fuzz_blocks(&vhdx_format, mend, data, len);
}
