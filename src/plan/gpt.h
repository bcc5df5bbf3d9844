/*
 * gpt.h - which sector size a guest's partition table was made for.  Pure.
 *
 * The GUID partition table header stands in the second logical sector, and
 * every address in it counts logical sectors.  A disk partitioned with 512
 * byte sectors shows no partitions behind a 4096-byte-sector device, and the
 * other way round: worth a warning, not an error.
 */
#ifndef CW_PLAN_GPT_H
#define CW_PLAN_GPT_H

#include <stddef.h>
#include <stdint.h>

/* How much of the beginning of a disk gpt_sector_bytes() wants to see. */
#define GPT_HEAD_BYTES 8192U

/*
 * head: the first len bytes of the disk.  Returns 512 or 4096, or 0 when
 * there is no such table in head.
 */
uint32_t gpt_sector_bytes(const uint8_t *head, size_t len);

/*
 * The sector size the table was made for when that is not sector_bytes, the
 * logical sector of the target; 0 when there is nothing to warn about.
 */
uint32_t gpt_misfit(const uint8_t *head, size_t len, uint32_t sector_bytes);

#endif
