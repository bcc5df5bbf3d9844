/* limits.h - what the machine and its cgroup let this process use. */
#ifndef CW_IO_LIMITS_H
#define CW_IO_LIMITS_H

#include <stdint.h>

#define LIMITS_NONE UINT64_MAX

struct limits {
    uint64_t memory_bytes; /* LIMITS_NONE: no limit */
    uint64_t cpu_millis;   /* thousandths of a CPU; LIMITS_NONE: no quota */
};

/*
 * Reads the tightest limits of our cgroup and its visible parents: v2
 * memory.max, memory.high and cpu.max; v1 memory.limit_in_bytes and
 * cpu.cfs_quota_us.  root: "" (tests: a directory with proc and sys).
 */
void limits_read(const char *root, struct limits *limits);

/* CPUs that this process may use: the affinity mask, cut by the CPU quota
 * rounded up.  At least 1. */
unsigned limits_cpus(void);

/* Memory that this process may use, page cache included, or LIMITS_NONE. */
uint64_t limits_memory_bytes(void);

/*
 * Memory that a decoder may use: max_bytes, or what the memory limit leaves
 * after 32 MiB for everything else (measured: buffers, TLS and page cache of
 * an upload under a limit of 64 MiB, with little to spare).
 */
uint64_t limits_decoder_bytes(uint64_t max_bytes);

#endif
