/* crc32c.h - CRC-32C (Castagnoli, RFC 3720 B.4).  Pure. */
#ifndef CW_WIRE_CRC32C_H
#define CW_WIRE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/*
 * CRC-32C of buf, continuing from crc; start with 0.  By carry-less products
 * of 64 bytes where the processor has them (about 0.02 CPU s/GB, in its cache),
 * by its own instruction (0.05), else by table.
 */
uint32_t crc32c(uint32_t crc, const void *buf, size_t len);

/* The same by table, whatever the processor has (about 0.6 CPU s/GB). */
uint32_t crc32c_portable(uint32_t crc, const void *buf, size_t len);

#endif
