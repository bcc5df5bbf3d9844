#include "monitor/page.h"

#include <stdio.h>
#include <string.h>

_Static_assert(PAGE_BYTES + HTTP_HEAD_BYTES <= HTTPS_REPLY_BYTES, "it fits");
_Static_assert(HTTPS_REQUEST_BYTES == HTTP_REQUEST_BYTES,
               "what is too long for one is for the other");

size_t page_answer(page_maker *maker, void *opaque, const char *in,
                   size_t in_len, char out[HTTPS_REPLY_BYTES])
{
    struct page page = { .body = out + HTTP_HEAD_BYTES };
    struct http_head asked;
    char head[HTTP_HEAD_BYTES];
    size_t head_len;

    if (!http_parse(in, in_len, &asked, &page.code))
        return 0;
    if (page.code == HTTP_OK)
        maker(opaque, asked.path, &page);
    if (page.body_len == 0)
        page.body_len = (size_t)snprintf(page.body, PAGE_BYTES, "%s\n",
                                         http_reason(page.code));
    head_len = http_write_head(head, page.code, "text/plain; version=0.0.4",
                               page.body_len);
    memcpy(out, head, head_len);
    memmove(out + head_len, page.body, page.body_len);
    return head_len + (asked.verb == HTTP_VERB_HEAD ? 0 : page.body_len);
}
