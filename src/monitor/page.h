/*
 * page.h - HTTP pages for probes and scrapers, served by path with
 * monitor/https_server.h and http/message.h.
 */
#ifndef CW_MONITOR_PAGE_H
#define CW_MONITOR_PAGE_H

#include <stddef.h>

#include "http/message.h"
#include "monitor/https_server.h"

#define PAGE_BYTES 16384U

struct page {
    enum http_code code;
    size_t body_len; /* 0: the reason phrase of code */
    char *body;      /* PAGE_BYTES; borrowed */
};

/* Fills page (code HTTP_OK) with the content at path. */
typedef void page_maker(void *opaque, const char *path, struct page *page);

/* An https_handler: answers GET and HEAD with the page that maker fills, and
 * other requests with an error. */
size_t page_answer(page_maker *maker, void *opaque, const char *in,
                   size_t in_len, char out[HTTPS_REPLY_BYTES]);

#endif
