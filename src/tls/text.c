/* text.c - texts about the peer of a connection, for messages. */
#include <string.h>

#include "tls/tls_private.h"

const char *tls_peer_word(const struct tls *tls)
{
    return tls->is_server ? "source" : "target";
}

void tls_printable(char *out, size_t out_len, const void *text, size_t len)
{
    size_t n = len < out_len - 1 ? len : out_len - 1;

    memcpy(out, text, n);
    for (size_t i = 0; i < n; i++)
        if (out[i] < 0x20 || out[i] > 0x7e)
            out[i] = '?';
    out[n] = '\0';
}
