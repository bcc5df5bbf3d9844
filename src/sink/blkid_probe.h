/* blkid_probe.h - describes the content of a device: partition table,
 * filesystem, unknown data or nothing.  The only user of libblkid. */
#ifndef CW_SINK_BLKID_PROBE_H
#define CW_SINK_BLKID_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Describes the content of fd (a device or file of size_bytes, open for
 * reading) in words that fit "it holds ...": "a gpt partition table with 3
 * partitions", "ext4 filesystem \"root\"", "data of an unknown kind",
 * "nothing".  Returns true for "nothing": no signature, and every sampled
 * block reads as zero.  Unreadable blocks count as data.
 */
bool blkid_probe_describe(int fd, uint64_t size_bytes, char *buf, size_t len);

/* Does every sampled block of [begin, end) read as zero?  The samples include
 * its first and last bytes. */
bool blkid_probe_reads_zero(int fd, uint64_t begin, uint64_t end);

/* Stores the offsets, in bytes, of up to max partitions in the table on fd.
 * Returns how many. */
size_t blkid_probe_starts(int fd, uint64_t *starts, size_t max);

#endif
