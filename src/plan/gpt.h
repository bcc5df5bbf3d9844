/*
 * gpt.h - the sector size that a guest's partition table was made for.  Pure.
 *
 * The GUID partition table header is in the second logical sector, and every
 * address in it counts logical sectors.  A disk partitioned with 512-byte
 * sectors shows no partitions on a device with 4096-byte sectors, and vice
 * versa: worth a warning, not an error.
 */
#ifndef CW_PLAN_GPT_H
#define CW_PLAN_GPT_H

#include <stddef.h>
#include <stdint.h>

/* Bytes from the beginning of a disk that gpt_sector_bytes() needs. */
#define GPT_HEAD_BYTES 8192U

/*
 * head: the first len bytes of the disk.  Returns 512 or 4096, or 0 if head
 * contains no GPT.
 */
uint32_t gpt_sector_bytes(const uint8_t *head, size_t len);

/*
 * Returns the sector size the table was made for if it differs from
 * sector_bytes, the logical sector of the target; 0 if there is nothing to
 * warn about.
 */
uint32_t gpt_misfit(const uint8_t *head, size_t len, uint32_t sector_bytes);

#endif
