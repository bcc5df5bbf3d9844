/* micro_zero.c - the zero scan, as the source does it: 4 KiB at a time. */
#include "micro.h"

#include "base/iszero.h"
#include "plan/chunk_grid.h"

#define COLD_BYTES (UINT64_C(256) << 20)

struct scan {
    const uint8_t *memory;
    uint64_t bytes;
    uint64_t zeros;
};

static void scan_grains(void *opaque)
{
    struct scan *scan = opaque;

    for (uint64_t at = 0; at < scan->bytes; at += BLOCK_BYTES)
        scan->zeros += iszero(scan->memory + at, BLOCK_BYTES);
}

int main(int argc, char **argv)
{
    uint8_t *data = micro_memory(CHUNK_BYTES);
    uint8_t *zeros = micro_memory(COLD_BYTES);
    struct scan dense = { data, CHUNK_BYTES, 0 };
    struct scan hot = { zeros, CHUNK_BYTES, 0 };
    struct scan cold = { zeros, COLD_BYTES, 0 };

    micro_begin(argc, argv);
    micro_fill(data, CHUNK_BYTES);
    micro_run("zero.dense-chunk", dense.bytes, scan_grains, &dense);
    micro_run("zero.zero-chunk-hot", hot.bytes, scan_grains, &hot);
    micro_run("zero.zero-256m-cold", cold.bytes, scan_grains, &cold);
    scan_grains(&dense);
    scan_grains(&hot);
    micro_require(dense.zeros == 0 && hot.zeros > 0, "the scan is wrong");
    return 0;
}
