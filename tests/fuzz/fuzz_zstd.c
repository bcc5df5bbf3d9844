/* A packed payload of a hostile source: refused, or all of what it says. */
#include "fuzz.h"

#include <assert.h>
#include <string.h>

#include "base/zstd.h"
#include "plan/grid.h"

#define LENGTH_BYTES 3U
#define GUARD        0xa5
#define GUARD_BYTES  64U

static uint8_t out[GRID_CHUNK_BYTES + GUARD_BYTES];
static uint8_t again[2 * GRID_CHUNK_BYTES];

static void check_guard(size_t out_len)
{
    for (size_t i = 0; i < GUARD_BYTES; i++)
        assert(out[out_len + i] == GUARD);
}

/* What came out must survive our own packing, too. */
static void check_round_trip(struct zstd_unpacker *unpacker, size_t out_len)
{
    static uint8_t back[GRID_CHUNK_BYTES];
    struct zstd_packer *packer = zstd_packer_open();
    size_t n;

    assert(packer);
    n = zstd_pack(packer, out, out_len, again, sizeof(again));
    assert(n > 0 && zstd_unpack_exactly(unpacker, again, n, back, out_len));
    assert(memcmp(back, out, out_len) == 0);
    zstd_packer_close(packer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct zstd_unpacker *unpacker;
    size_t out_len;

    if (len < LENGTH_BYTES)
        return 0;
    out_len = (size_t)data[0] << 16 | (size_t)data[1] << 8 | data[2];
    out_len = out_len % GRID_CHUNK_BYTES + 1;
    memset(out + out_len, GUARD, GUARD_BYTES);
    unpacker = zstd_unpacker_open();
    assert(unpacker);
    if (zstd_unpack_exactly(unpacker, data + LENGTH_BYTES, len - LENGTH_BYTES,
                            out, out_len))
        check_round_trip(unpacker, out_len);
    check_guard(out_len);
    zstd_unpacker_close(unpacker);
    return 0;
}
