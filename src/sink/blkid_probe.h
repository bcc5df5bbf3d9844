/* blkid_probe.h - what lies on a device: partition table, filesystem, unknown
 * data or nothing.  The one room of libblkid. */
#ifndef CW_SINK_BLKID_PROBE_H
#define CW_SINK_BLKID_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Describes what fd (a device or file of size_bytes, open for reading) holds
 * in words that fit "it holds ...": "a gpt partition table with 3
 * partitions", "ext4 filesystem \"root\"", "data of an unknown kind",
 * "nothing".  Nothing is what has no signature and reads as zero wherever it
 * is sampled; true then.  What cannot be read counts as data.
 */
bool blkid_probe_describe(int fd, uint64_t size_bytes, char *buf, size_t len);

/* Does [begin, end) of fd read as zero wherever it is sampled?  Its first and
 * last bytes are samples. */
bool blkid_probe_reads_zero(int fd, uint64_t begin, uint64_t end);

/* Where the partitions of the table on fd begin, in bytes: max of them at
 * most.  Returns how many. */
size_t blkid_probe_starts(int fd, uint64_t *starts, size_t max);

#endif
