/* What a stranger sends to the port of health and metrics. */
#include "fuzz.h"

#include <assert.h>
#include <string.h>

#include "net/http.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    const char *in = (const char *)data;
    struct http_request request = { .is_head = false };
    enum http_result result;
    char head[HTTP_HEAD_BYTES];

    if (len > HTTP_REQUEST_BYTES)
        return 0;
    if (!http_parse(in, len, &request, &result)) {
        assert(len < HTTP_REQUEST_BYTES);
        return 0;
    }
    assert(http_reason(result)[0] != '\0');
    assert(http_head(head, result, "text/plain", len) < sizeof(head));
    if (result != HTTP_OK)
        return 0;
    assert(request.path[0] == '/');
    assert(strlen(request.path) < HTTP_PATH_BYTES);
    assert(memmem(in, len, request.path, strlen(request.path)));
    return 0;
}
