/* A whole VMDK: refused, or every grain lies in the file and disk, and what is
 * compressed unpacks within its bounds. */
#include "fuzz_blocks.h"
#include "image/vmdk/vmdk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    return fuzz_blocks(&vmdk_format, NULL, data, len);
}
