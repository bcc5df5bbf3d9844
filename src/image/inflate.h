/* inflate.h - libdeflate, for compressed blocks of images. */
#ifndef CW_IMAGE_INFLATE_H
#define CW_IMAGE_INFLATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Belongs to one thread. */
struct inflater;

/* NULL: out of memory. */
struct inflater *inflater_open(void);

/* Tolerates NULL. */
void inflater_close(struct inflater *inflater);

/* Decodes raw deflate of exactly out_len bytes.  Ignores bytes after it: *used
 * is its length. */
bool inflate_raw(struct inflater *inflater, const uint8_t *in, size_t in_len,
                 uint8_t *out, size_t out_len, size_t *used);

/* Decodes a zlib stream of min_len to out_len bytes that ends where in ends,
 * and verifies its checksum. */
bool inflate_zlib(struct inflater *inflater, const uint8_t *in, size_t in_len,
                  uint8_t *out, size_t min_len, size_t out_len);

#endif
