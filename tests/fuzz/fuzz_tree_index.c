/*
 * Any bytes as the tar stream in the index of a directory: refused, or each
 * file lies in its own blocks; and a tree that is made of it stays in its place.
 */
#include <assert.h>
#include <stdlib.h>

#include "base/zstd.h"
#include "fuzz.h"
#include "fuzz_place.h"
#include "plan/chunk_grid.h"
#include "tar/stage.h"

#define MAX_BYTES (64U << 10)

static void check_layout(const struct tree_index *index)
{
    uint64_t end = index->data_begin;

    assert(index->data_begin >= index->len);
    for (size_t i = 0; i < index->count; i++) {
        assert(index->files[i].offset >= end && index->files[i].size_bytes > 0);
        assert(index->files[i].offset % BLOCK_BYTES == 0);
        end = index->files[i].offset + index->files[i].size_bytes;
    }
    assert(index->virtual_bytes >= end && index->virtual_bytes <= INT64_MAX);
}

static void stage_tree(const struct tree_index *index)
{
    struct fuzz_place place;
    const struct tar_stage_options options = { .directory = place.inside,
                                               .index = index };
    struct tar_stage *stage;
    struct error err;

    fuzz_place_open(&place);
    assert(tar_stage_open(&options, &stage, &err) == 0);
    if (tar_stage_make(stage, true, &err) == 0)
        tar_stage_finish(stage, &err);
    tar_stage_close(stage, false);
    fuzz_place_close(&place);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct zstd_packer *packer = zstd_packer_open();
    uint8_t *packed = malloc(2 * MAX_BYTES);
    struct tree_index *index;
    struct error err;
    size_t n = 0;

    assert(packer && packed);
    if (len > 0 && len <= MAX_BYTES)
        n = zstd_pack(packer, data, len, packed, 2 * (size_t)MAX_BYTES);
    zstd_packer_close(packer);
    if (tree_index_read(packed, n, &index, &err) < 0)
        return 0;
    check_layout(index);
    stage_tree(index);
    tree_index_free(index);
    return 0;
}
