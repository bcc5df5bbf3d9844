/* The body of an upload by a form, as a stranger's browser might send it. */
#include "fuzz.h"

#include <assert.h>
#include <string.h>

#include "http/multipart.h"

/* What feeding in steps gives: the same whatever the steps. */
static uint64_t read_in_steps(const char *in, size_t len, size_t step)
{
    uint64_t sum = 14695981039346656037U;
    struct multipart form;
    size_t at = 0;

    assert(multipart_init(&form, "multipart/form-data; boundary=B"));
    while (at < len) {
        size_t n = len - at < step ? len - at : step, used, data_len = 0;
        const char *data = NULL;
        enum multipart_event event = multipart_feed(&form, in + at, n, &used,
                                                    &data, &data_len);

        assert(used <= n);
        at += used;
        if (event == MULTIPART_DATA)
            for (size_t i = 0; i < data_len; i++)
                sum = (sum ^ (uint8_t)data[i]) * 1099511628211U;
        if (event == MULTIPART_END || event == MULTIPART_BROKEN)
            return sum + event;
        assert(event == MULTIPART_DATA || used == n);
    }
    return sum + multipart_has_file(&form);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    const char *in = (const char *)data;
    char type[256];
    struct multipart form;

    if (len < sizeof(type)) {
        memcpy(type, in, len);
        type[len] = '\0';
        (void)multipart_init(&form, type);
    }
    assert(read_in_steps(in, len, 1) == read_in_steps(in, len, len ? len : 1));
    return 0;
}
