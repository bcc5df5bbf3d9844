/*
 * page.h - a page for a probe or a scraper: what is asked for by path, over
 * the server of monitor/https_server.h, in the HTTP of http/message.h.
 */
#ifndef CW_MONITOR_PAGE_H
#define CW_MONITOR_PAGE_H

#include <stddef.h>

#include "http/message.h"
#include "monitor/https_server.h"

#define PAGE_BYTES 16384U

struct page {
    enum http_code code;
    size_t body_len; /* 0: the code in words */
    char *body;      /* room for PAGE_BYTES; borrowed */
};

/* Fills page (HTTP_OK so far) with what is at path. */
typedef void page_maker(void *opaque, const char *path, struct page *page);

/* As https_handler: for GET and HEAD the page that maker makes, for all else
 * why not. */
size_t page_answer(page_maker *maker, void *opaque, const char *in,
                   size_t in_len, char out[HTTPS_REPLY_BYTES]);

#endif
