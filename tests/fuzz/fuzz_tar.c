/*
 * Any bytes as a tar stream: refused, or each piece lies in its file; and
 * unpacked, nothing is written outside the directory.
 */
#include "fuzz.h"

#include <assert.h>
#include <dirent.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tar/extract.h"
#include "tar/reader.h"

#define MAX_BYTES   (64U << 10)
#define PIECE_BYTES 700U /* no multiple of a tar block */

struct feed {
    const uint8_t *data;
    size_t len;
};

static ssize_t feed_next(void *opaque, const void **data, struct error *err)
{
    struct feed *feed = opaque;
    size_t n = feed->len < PIECE_BYTES ? feed->len : PIECE_BYTES;

    (void)err;
    *data = feed->data;
    feed->data += n;
    feed->len -= n;
    return (ssize_t)n;
}

static void read_entry(struct tree_reader *reader,
                       const struct tree_entry *entry)
{
    struct acls acls = { 0 };
    const char *name;
    const void *data;
    uint64_t end = 0, offset;
    struct error err;
    size_t len;

    while (tree_reader_xattr(reader, &name, &data, &len))
        assert(name);
    tree_reader_acls(reader, &acls);
    posix_acl_fini(&acls);
    if (!S_ISREG(entry->mode))
        return;
    while (tree_reader_data(reader, &data, &len, &offset, &err) == 1) {
        assert(offset >= end && offset <= entry->size_bytes);
        assert(len <= entry->size_bytes - offset);
        end = offset + len;
    }
}

static void read_stream(const uint8_t *data, size_t len)
{
    struct feed feed = { data, len };
    const struct piece_source input = { feed_next, &feed, NULL };
    struct tree_reader *reader;
    struct tree_entry entry;
    struct error err;

    if (tree_reader_open(&input, &reader, &err) < 0) {
        assert(err.kind == ERROR_PROTOCOL);
        return;
    }
    while (tree_reader_next(reader, &entry, &err) == 1)
        read_entry(reader, &entry);
    tree_reader_close(reader);
}

/* ---- unpacking ---- */

static int remove_one(const char *path, const struct stat *st, int type,
                      struct FTW *at)
{
    (void)st, (void)type, (void)at;
    return remove(path);
}

/* nftw() does not enter what it may not read: an entry's mode is its own. */
static int open_up(const char *path, const struct stat *st, int type,
                   struct FTW *at)
{
    (void)st, (void)at;
    return type == FTW_DNR || type == FTW_D ? chmod(path, 0700) : 0;
}

static void check_place(const char *place)
{
    DIR *dir = opendir(place);
    const struct dirent *entry;

    assert(dir);
    while ((entry = readdir(dir)) != NULL)
        assert(entry->d_name[0] == '.' || strcmp(entry->d_name, "in") == 0);
    closedir(dir);
}

static void unpack_stream(const uint8_t *data, size_t len)
{
    struct feed feed = { data, len };
    char place[] = "/dev/shm/fuzz-tar-XXXXXX", inside[64];
    const struct tar_extract_options options = {
        .directory = inside,
        .input = { feed_next, &feed, NULL },
    };
    struct tar_extract_report report;
    struct error err;

    assert(mkdtemp(place));
    snprintf(inside, sizeof(inside), "%s/in", place);
    assert(mkdir(inside, 0700) == 0);
    tar_extract_tree(&options, &report, &err);
    check_place(place);
    nftw(place, open_up, 16, FTW_PHYS);
    nftw(place, remove_one, 16, FTW_PHYS | FTW_DEPTH);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (len == 0 || len > MAX_BYTES)
        return 0;
    read_stream(data, len);
    unpack_stream(data, len);
    return 0;
}
