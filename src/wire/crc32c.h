/* crc32c.h - CRC-32C (Castagnoli, RFC 3720 B.4), by ISA-L.  Pure. */
#ifndef CW_WIRE_CRC32C_H
#define CW_WIRE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* CRC-32C of buf, continued from crc; start with 0. */
uint32_t crc32c(uint32_t crc, const void *buf, size_t len);

#endif
