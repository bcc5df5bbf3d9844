/*
 * Any bytes as the tar stream in the index of a directory: refused, or each
 * file lies in its own blocks; and a tree that is made of it stays in its place.
 */
#include <assert.h>
#include <dirent.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/zstd.h"
#include "fuzz.h"
#include "plan/chunk_grid.h"
#include "tar/stage.h"

#define MAX_BYTES (64U << 10)

static int remove_found(const char *path, const struct stat *st, int type,
                        struct FTW *at)
{
    (void)st, (void)type, (void)at;
    return remove(path);
}

static int open_found(const char *path, const struct stat *st, int type,
                      struct FTW *at)
{
    (void)st, (void)at;
    return type == FTW_DNR || type == FTW_D ? chmod(path, 0700) : 0;
}

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

/* Nothing appears beside the directory. */
static void check_outside(const char *place)
{
    DIR *dir = opendir(place);
    const struct dirent *entry;

    assert(dir);
    while ((entry = readdir(dir)) != NULL)
        assert(entry->d_name[0] == '.' || strcmp(entry->d_name, "in") == 0);
    closedir(dir);
}

static void stage_tree(const struct tree_index *index)
{
    char place[] = "/dev/shm/fuzz-tree-XXXXXX", inside[64];
    const struct tar_stage_options options = { .directory = inside,
                                               .index = index };
    struct tar_stage *stage;
    struct error err;

    assert(mkdtemp(place));
    snprintf(inside, sizeof(inside), "%s/in", place);
    assert(mkdir(inside, 0700) == 0);
    assert(tar_stage_open(&options, &stage, &err) == 0);
    if (tar_stage_make(stage, true, &err) == 0)
        tar_stage_finish(stage, &err);
    tar_stage_close(stage, false);
    check_outside(place);
    nftw(place, open_found, 16, FTW_PHYS);
    nftw(place, remove_found, 16, FTW_PHYS | FTW_DEPTH);
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
