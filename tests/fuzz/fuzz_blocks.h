/*
 * fuzz_blocks.h - an image of a block_map format from few bytes, as its tables
 * lie MiB apart: the file's size in sectors (4 bytes, little-endian), then
 * parts: a sector number (4 bytes), a length (2 bytes), that many bytes.  All
 * else is zero.
 *
 * The image is refused, or every run lies in the file and the disk.
 */
#ifndef CW_TESTS_FUZZ_BLOCKS_H
#define CW_TESTS_FUZZ_BLOCKS_H

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "fuzz.h"
#include "image/block_map/block_map.h"

#define MAX_FILE_BYTES  (UINT64_C(8) << 20)
#define MAX_RUNS        100000
#define MAX_PACKED_RUNS 64

struct sparse_input {
    uint8_t *bytes; /* owned */
    size_t len;
};

static inline int sparse_input_read(void *opaque, void *buf, size_t len,
                                    uint64_t offset, struct error *err)
{
    const struct sparse_input *input = opaque;

    (void)err;
    /* Nothing outside the file is ever asked for. */
    assert(len > 0 && offset <= input->len && len <= input->len - offset);
    memcpy(buf, input->bytes + offset, len);
    return 0;
}

static inline void sparse_input_fill(struct sparse_input *input,
                                     const uint8_t *data, size_t len)
{
    uint64_t size = len < 4 ? 0 : get_le32(data) * UINT64_C(512);
    size_t at = 4;

    input->len = (size_t)(size < MAX_FILE_BYTES ? size : MAX_FILE_BYTES);
    input->bytes = calloc(1, input->len + 1);
    assert(input->bytes);
    while (at < len && len - at > 6) {
        uint64_t offset = get_le32(data + at) * UINT64_C(512);
        size_t count = get_le16(data + at + 4);

        at += 6;
        if (count > len - at)
            count = len - at;
        if (offset < input->len && count <= input->len - offset)
            memcpy(input->bytes + offset, data + at, count);
        at += count;
    }
}

static inline void unpack_run(struct block_map *map,
                              const struct block_run *run)
{
    size_t block_len = (size_t)map->block_bytes;
    uint8_t *scratch = malloc(3 * block_len);
    struct error err;

    assert(scratch && map->format->unpack);
    map->format->unpack(map, run, scratch, scratch + 2 * block_len, block_len,
                        &err);
    free(scratch);
}

static inline void walk_blocks(struct block_map *map)
{
    uint64_t end = map->virtual_bytes, size = map->host.size_bytes;
    unsigned packed = 0;
    struct block_run run;
    struct error err;

    for (uint64_t at = 0, n = 0; at < end && n < MAX_RUNS; n++) {
        int r = block_map_at(map, at, end, &run, &err);

        assert(r == 0); /* it has been checked */
        assert(run.offset == at && run.length > 0 && run.length <= end - at);
        if (run.kind == BLOCK_DATA)
            assert(run.host_offset < size &&
                   run.length <= size - run.host_offset);
        if (run.kind == BLOCK_PACKED && packed++ < MAX_PACKED_RUNS)
            unpack_run(map, &run);
        at += run.length;
    }
}

/* mend: puts right the checksums, which would refuse nearly all; or NULL. */
static inline int fuzz_blocks(const struct block_format *format,
                              void (*mend)(struct sparse_input *input),
                              const uint8_t *data, size_t len)
{
    struct sparse_input input;
    struct block_summary summary;
    struct block_map map = { 0 };
    struct image_host host = { .read = sparse_input_read, .opaque = &input };
    struct error err;

    sparse_input_fill(&input, data, len);
    if (mend)
        mend(&input);
    host.size_bytes = input.len;
    if (block_map_open(&map, format, &host, &err) == 0) {
        /* The walk of 64 TiB takes longer than a fuzzer waits. */
        if (block_map_blocks(&map) < 1U << 22 &&
            block_map_check(&map, &summary, &err) == 0)
            walk_blocks(&map);
        block_map_fini(&map);
    }
    free(input.bytes);
    return 0;
}

#endif
