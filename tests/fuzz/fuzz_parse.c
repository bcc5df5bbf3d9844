/* What people type as sizes, ratios, durations and counts. */
#include "fuzz.h"

#include <assert.h>
#include <string.h>

#include "base/parse.h"

#define TEXT_MAX_BYTES 64U
#define UNTOUCHED      0x5a5a5a5a5a5a5a5aU

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    char text[TEXT_MAX_BYTES + 1] = { 0 };
    char out[TEXT_MAX_BYTES];
    uint64_t bytes = UNTOUCHED;
    uint64_t ns = UNTOUCHED;
    uint64_t count = UNTOUCHED;
    uint32_t ppm = 0;

    if (len > TEXT_MAX_BYTES)
        return 0;
    if (len > 0)
        memcpy(text, data, len);

    if (parse_bytes(text, &bytes))
        assert(strlen(format_bytes(out, sizeof(out), bytes)) < sizeof(out));
    else
        assert(bytes == UNTOUCHED);
    /* A count is a size without a unit. */
    if (parse_count(text, &count))
        assert(bytes == count);
    parse_quantity(text, &ns);
    parse_duration(text, &ns);
    parse_time(text, &ns);
    parse_ppm(text, &ppm);
    return 0;
}
