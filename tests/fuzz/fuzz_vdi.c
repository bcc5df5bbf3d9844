/* A whole VDI: refused, or every block lies in the file and disk. */
#include "fuzz_blocks.h"
#include "image/vdi/vdi.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    return fuzz_blocks(&vdi_format, NULL, data, len);
}
