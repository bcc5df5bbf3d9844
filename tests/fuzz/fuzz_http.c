/* What a stranger sends where we speak HTTP. */
#include "fuzz.h"

#include <assert.h>
#include <string.h>

#include "http/message.h"

/* What feeding in steps gives: the same whatever the steps. */
static uint64_t read_in_steps(const char *in, size_t len, size_t step,
                              bool is_response)
{
    struct http_reader *reader = http_reader_open(is_response);
    uint64_t sum = 14695981039346656037U;
    size_t at = 0, fed = 0;

    for (;;) {
        struct http_piece piece;
        enum http_event event;
        size_t used;

        if (fed < at + step)
            fed = len - at < step ? len : at + step;
        event = http_reader_feed(reader, in + at, fed - at, &used, &piece);
        assert(used <= fed - at);
        at += used;
        if (event == HTTP_EVENT_MORE)
            assert(at == fed);
        for (size_t i = 0; i < piece.len; i++)
            sum = (sum ^ (uint8_t)piece.data[i]) * 1099511628211U;
        if (event == HTTP_EVENT_END || event == HTTP_EVENT_BROKEN) {
            sum += event;
            break;
        }
        if (event == HTTP_EVENT_MORE && fed == len)
            break;
    }
    http_reader_close(reader);
    return sum;
}

static void check_head(const char *in, size_t len)
{
    struct http_reader *reader = http_reader_open(false);
    const char *path = http_reader_head(reader)->path;
    struct http_piece piece;
    size_t used;
    enum http_event event = http_reader_feed(reader, in, len, &used, &piece);
    enum http_code code = http_reader_code(reader);
    char out[HTTP_HEAD_BYTES];

    if (event == HTTP_EVENT_MORE)
        assert(used == len && len <= HTTP_REQUEST_BYTES);
    assert(http_reason(code)[0] != '\0');
    assert(http_write_head(out, code, "text/plain", len) < sizeof(out));
    if (event == HTTP_EVENT_HEAD && path[0] != '\0') {
        assert(path[0] == '/');
        assert(strlen(path) < HTTP_PATH_BYTES);
        assert(memmem(in, len, path, strlen(path)));
    }
    http_reader_close(reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    const char *in = (const char *)data;

    for (int i = 0; i < 2; i++)
        assert(read_in_steps(in, len, 1, i) == read_in_steps(in, len, len, i));
    check_head(in, len);
    return 0;
}
