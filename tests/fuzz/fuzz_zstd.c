/* A packed payload of a hostile source: refused, or all of what it says. */
#include "fuzz.h"

#include <assert.h>
#include <string.h>

#include "base/zstd.h"
#include "plan/chunk_grid.h"

#define LENGTH_BYTES 3U
#define GUARD        0xa5
#define GUARD_BYTES  64U

static uint8_t plain[CHUNK_BYTES + GUARD_BYTES];
static uint8_t packed[2 * CHUNK_BYTES];

static void check_guard(size_t plain_len)
{
    for (size_t i = 0; i < GUARD_BYTES; i++)
        assert(plain[plain_len + i] == GUARD);
}

/* What came plain must survive our own packing, too. */
static void check_round_trip(struct zstd_unpacker *unpacker, size_t plain_len)
{
    static uint8_t back[CHUNK_BYTES];
    struct zstd_packer *packer = zstd_packer_open();
    size_t n;

    assert(packer);
    n = zstd_pack(packer, plain, plain_len, packed, sizeof(packed));
    assert(n > 0 && zstd_unpack_exactly(unpacker, packed, n, back, plain_len));
    assert(memcmp(back, plain, plain_len) == 0);
    zstd_packer_close(packer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct zstd_unpacker *unpacker;
    size_t plain_len;

    if (len < LENGTH_BYTES)
        return 0;
    plain_len = (size_t)data[0] << 16 | (size_t)data[1] << 8 | data[2];
    plain_len = plain_len % CHUNK_BYTES + 1;
    memset(plain + plain_len, GUARD, GUARD_BYTES);
    unpacker = zstd_unpacker_open();
    assert(unpacker);
    if (zstd_unpack_exactly(unpacker, data + LENGTH_BYTES, len - LENGTH_BYTES,
                            plain, plain_len))
        check_round_trip(unpacker, plain_len);
    check_guard(plain_len);
    zstd_unpacker_close(unpacker);
    return 0;
}
