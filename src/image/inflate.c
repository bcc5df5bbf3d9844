#include "image/inflate.h"

#include <libdeflate.h>

/* A name of our own for libdeflate's. */
static struct libdeflate_decompressor *decompressor(struct inflater *inflater)
{
    return (struct libdeflate_decompressor *)inflater;
}

struct inflater *inflater_open(void)
{
    return (struct inflater *)libdeflate_alloc_decompressor();
}

void inflater_close(struct inflater *inflater)
{
    libdeflate_free_decompressor(decompressor(inflater));
}

bool inflate_raw(struct inflater *inflater, const uint8_t *in, size_t in_len,
                 uint8_t *out, size_t out_len, size_t *used)
{
    size_t got;

    return libdeflate_deflate_decompress_ex(decompressor(inflater), in, in_len,
                                            out, out_len, used,
                                            &got) == LIBDEFLATE_SUCCESS &&
           got == out_len;
}

bool inflate_zlib(struct inflater *inflater, const uint8_t *in, size_t in_len,
                  uint8_t *out, size_t min_len, size_t out_len)
{
    size_t used, got;

    return libdeflate_zlib_decompress_ex(decompressor(inflater), in, in_len,
                                         out, out_len, &used,
                                         &got) == LIBDEFLATE_SUCCESS &&
           got >= min_len && used == in_len;
}
