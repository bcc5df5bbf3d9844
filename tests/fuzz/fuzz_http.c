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

    while (at < len || fed < len) {
        struct http_piece piece;
        enum http_event event;
        size_t used;

        if (fed < at + step)
            fed = len - at < step ? len : at + step;
        event = http_reader_feed(reader, in + at, fed - at, &used, &piece);
        assert(used <= fed - at);
        at += used;
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    const char *in = (const char *)data;
    struct http_head request;
    enum http_code result;
    char head[HTTP_HEAD_BYTES];

    for (int i = 0; i < 2; i++)
        assert(read_in_steps(in, len, 1, i) == read_in_steps(in, len, len, i));
    if (len > HTTP_REQUEST_BYTES)
        return 0;
    if (!http_parse(in, len, &request, &result)) {
        assert(len < HTTP_REQUEST_BYTES);
        return 0;
    }
    assert(http_reason(result)[0] != '\0');
    assert(http_write_head(head, result, "text/plain", len) < sizeof(head));
    if (result != HTTP_OK)
        return 0;
    assert(request.path[0] == '/');
    assert(strlen(request.path) < HTTP_PATH_BYTES);
    assert(memmem(in, len, request.path, strlen(request.path)));
    return 0;
}
