/*
 * Any bytes as a tar stream: refused, or each piece lies in its file; and
 * unpacked, nothing is written outside the directory.
 */
#include "fuzz.h"

#include <assert.h>

#include "fuzz_place.h"
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

static void unpack_stream(const uint8_t *data, size_t len)
{
    struct feed feed = { data, len };
    struct fuzz_place place;
    const struct tar_extract_options options = {
        .directory = place.inside,
        .input = { feed_next, &feed, NULL },
    };
    struct tar_extract_report report;
    struct error err;

    fuzz_place_open(&place);
    tar_extract_tree(&options, &report, &err);
    fuzz_place_close(&place);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (len == 0 || len > MAX_BYTES)
        return 0;
    read_stream(data, len);
    unpack_stream(data, len);
    return 0;
}
