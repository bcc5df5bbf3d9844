/* micro_digest.c - what proof of equality costs, per chunk and at the end. */
#include "micro.h"

#include "plan/chunk_grid.h"
#include "record/digest.h"

#define TABLE_DISK_BYTES (UINT64_C(64) << 30)

struct chunk {
    struct digest *digest;
    uint8_t *data;
};

static void add_chunk(void *opaque)
{
    struct chunk *chunk = opaque;

    digest_add(chunk->digest, 0, chunk->data, CHUNK_BYTES);
}

static void add_zero(void *opaque)
{
    struct chunk *chunk = opaque;

    digest_add_zero(chunk->digest, 1);
}

static void take_root(void *opaque)
{
    struct chunk *chunk = opaque;
    uint8_t root[DIGEST_ROOT_BYTES];

    digest_root(chunk->digest, root);
}

static void measure(enum digest_algorithm algorithm, uint8_t *data,
                    const char *name_data, const char *name_root)
{
    struct chunk chunk = { .data = data };
    struct error err = { 0 };

    micro_require(
        digest_open(algorithm, TABLE_DISK_BYTES, &chunk.digest, &err) == 0,
        "no digest table");
    micro_run(name_data, CHUNK_BYTES, add_chunk, &chunk);
    micro_run(name_root, 0, take_root, &chunk);
    digest_close(chunk.digest);
}

int main(int argc, char **argv)
{
    uint8_t *data = micro_memory(CHUNK_BYTES);
    struct chunk zero = { .data = micro_memory(CHUNK_BYTES) };
    struct error err = { 0 };

    micro_begin(argc, argv);
    micro_fill(data, CHUNK_BYTES);
    measure(DIGEST_XXH3_128, data, "digest.xxh3-128-chunk",
            "digest.xxh3-128-root-64g");
    measure(DIGEST_SHA256, data, "digest.sha256-chunk",
            "digest.sha256-root-64g");
    micro_require(
        digest_open(DIGEST_XXH3_128, TABLE_DISK_BYTES, &zero.digest, &err) == 0,
        "no digest table");
    micro_run("digest.zero-bytes-chunk", CHUNK_BYTES, add_chunk, &zero);
    micro_run("digest.known-zero-chunk", 0, add_zero, &zero);
    digest_close(zero.digest);
    return 0;
}
