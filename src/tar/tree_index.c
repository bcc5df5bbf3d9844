#include "tar/tree_index.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "plan/chunk_grid.h"
#include "tar/reader.h"
#include "tar/writer.h"

#define FRAME_BYTES ((size_t)1 << 20)
/* zstd's own bound for a frame. */
#define PACKED_BYTES (FRAME_BYTES + (FRAME_BYTES >> 8) + 64)
/* Headers of two million files: a bound for who decompresses a small input. */
#define PLAIN_MAX_BYTES (UINT64_C(4) << 30)

static uint64_t round_up(uint64_t bytes)
{
    return (bytes + BLOCK_BYTES - 1) & ~(BLOCK_BYTES - 1);
}

/* ---- the tar stream in the index ---- */

static int index_damaged(struct error *err)
{
    return error_set(err, ERROR_PROTOCOL, 0,
                     "the index of the directory is damaged");
}

static ssize_t next_frame(void *opaque, const void **data, struct error *err)
{
    struct tree_index_stream *s = opaque;
    size_t frame, got = 0;

    if (s->at == s->len)
        return 0;
    frame = zstd_frame_bytes(s->bytes + s->at, s->len - s->at);
    if (frame == 0 ||
        !zstd_unpack(s->unpacker, s->bytes + s->at, frame, s->plain,
                     FRAME_BYTES, &got) ||
        got == 0)
        return index_damaged(err);
    s->at += frame;
    s->plain_bytes += got;
    if (s->plain_bytes > PLAIN_MAX_BYTES)
        return error_set(err, ERROR_REFUSED, 0,
                         "the index of the directory is longer than %llu GiB",
                         (unsigned long long)PLAIN_MAX_BYTES >> 30);
    *data = s->plain;
    return (ssize_t)got;
}

int tree_index_stream_open(struct tree_index_stream *stream,
                           const uint8_t *bytes, size_t len, struct error *err)
{
    *stream = (struct tree_index_stream){
        .bytes = bytes,
        .len = len,
        .plain = malloc(FRAME_BYTES),
        .unpacker = zstd_unpacker_open(),
        .source = { .next = next_frame, .opaque = stream },
    };
    if (stream->plain && stream->unpacker)
        return 0;
    tree_index_stream_close(stream);
    return error_set(err, ERROR_SYSTEM, ENOMEM, "read an index");
}

void tree_index_stream_close(struct tree_index_stream *stream)
{
    free(TAKE_PTR(stream->plain));
    zstd_unpacker_close(TAKE_PTR(stream->unpacker));
}

/* ---- the table of files ---- */

/* Returns room for count items, of which there are used ones; NULL: no
 * memory.  Grows at powers of two. */
static void *grow_table(void *items, size_t used, size_t more, size_t item)
{
    size_t capacity = 64;

    while (capacity < used + more)
        capacity *= 2;
    return used == 0 || (used & (used - 1)) == 0 || more > 1
               ? reallocarray(items, capacity, item)
               : items;
}

static int index_add_name(struct tree_index *index, const char *path,
                          struct error *err)
{
    size_t len = strlen(path) + 1;
    char *names = grow_table(index->names, index->names_len, len, 1);

    if (!names)
        return error_set(err, ERROR_SYSTEM, ENOMEM, "read an index");
    index->names = names;
    memcpy(names + index->names_len, path, len);
    index->names_len += len;
    return 0;
}

static int add_file(struct tree_index *index, const struct tree_entry *entry,
                    struct error *err)
{
    struct tree_file *files = grow_table(index->files, index->count, 1,
                                         sizeof(*files));

    if (!files)
        return error_set(err, ERROR_SYSTEM, ENOMEM, "read an index");
    index->files = files;
    if (entry->size_bytes > INT64_MAX - BLOCK_BYTES - index->virtual_bytes)
        return error_set(err, ERROR_REFUSED, 0,
                         "the files of the directory are too large: %.300s",
                         entry->path);
    files[index->count++] = (struct tree_file){
        .offset = index->virtual_bytes,
        .size_bytes = entry->size_bytes,
        .name = index->names_len,
    };
    index->virtual_bytes += round_up(entry->size_bytes);
    if (index->names_len + index->count * sizeof(*files) > TREE_INDEX_MAX_BYTES)
        return error_set(err, ERROR_REFUSED, 0,
                         "the directory has too many files: the names of %zu "
                         "take more than %llu MiB; copy it in parts",
                         index->count,
                         (unsigned long long)TREE_INDEX_MAX_BYTES >> 20);
    return index_add_name(index, entry->path, err);
}

static int read_entries(struct tree_index *index, struct tree_reader *reader,
                        struct error *err)
{
    struct tree_entry entry;
    int r;

    while ((r = tree_reader_next(reader, &entry, err)) > 0) {
        if (!S_ISREG(entry.mode) || entry.is_hard_link || entry.size_bytes == 0)
            continue;
        if (entry.data_bytes > 0)
            return index_damaged(err);
        if (add_file(index, &entry, err) < 0)
            return -1;
    }
    return r < 0 ? -1 : tree_reader_finish(reader, err);
}

static int read_table(struct tree_index *index, struct error *err)
{
    struct tree_index_stream stream;
    struct tree_reader *reader = NULL;
    int r;

    index->data_begin = index->virtual_bytes = round_up(index->len);
    if (tree_index_stream_open(&stream, index->bytes, index->len, err) < 0)
        return -1;
    r = tree_reader_open(&stream.source, &reader, err);
    if (r == 0) {
        /* Nothing is unpacked now, and so nothing is to be said. */
        tree_reader_keep_setid(reader);
        r = read_entries(index, reader, err);
    }
    tree_reader_close(reader);
    tree_index_stream_close(&stream);
    return r;
}

int tree_index_read(uint8_t *bytes, size_t len, struct tree_index **index,
                    struct error *err)
{
    struct tree_index *made = calloc(1, sizeof(*made));

    *index = NULL;
    if (!made) {
        free(bytes);
        return error_set(err, ERROR_SYSTEM, ENOMEM, "read an index");
    }
    made->bytes = bytes;
    made->len = len;
    if (read_table(made, err) < 0) {
        tree_index_free(made);
        return -1;
    }
    *index = made;
    return 0;
}

int tree_index_copy(const struct tree_index *index, struct tree_index **copy,
                    struct error *err)
{
    uint8_t *bytes = malloc(index->len);

    *copy = NULL;
    if (!bytes)
        return error_set(err, ERROR_SYSTEM, ENOMEM, "copy an index");
    memcpy(bytes, index->bytes, index->len);
    return tree_index_read(bytes, index->len, copy, err);
}

/* ---- making one ---- */

struct index_maker {
    uint8_t *plain; /* owned; FRAME_BYTES */
    size_t filled;
    uint8_t *bytes; /* owned; the frames */
    size_t len, capacity;
    struct zstd_packer *packer;
};

static int pack_frame(struct index_maker *m, struct error *err)
{
    size_t n;

    if (m->capacity - m->len < PACKED_BYTES) {
        size_t capacity = m->capacity + m->capacity / 2 + PACKED_BYTES;
        uint8_t *grown = realloc(m->bytes, capacity);

        if (!grown)
            return error_set(err, ERROR_SYSTEM, ENOMEM, "make an index");
        m->bytes = grown;
        m->capacity = capacity;
    }
    n = zstd_pack(m->packer, m->plain, m->filled, m->bytes + m->len,
                  PACKED_BYTES);
    if (n == 0)
        return error_set(err, ERROR_SYSTEM, 0, "make an index: zstd failed");
    m->len += n;
    m->filled = 0;
    if (m->len > TREE_INDEX_MAX_BYTES)
        return error_set(err, ERROR_FORMAT, 0,
                         "too many files: their names and attributes take "
                         "more than %llu MiB, compressed; copy the directory "
                         "in parts",
                         (unsigned long long)TREE_INDEX_MAX_BYTES >> 20);
    return 0;
}

static int take_tar(void *opaque, const void *data, size_t len,
                    struct error *err)
{
    struct index_maker *m = opaque;
    const uint8_t *from = data;

    while (len > 0) {
        size_t n = FRAME_BYTES - m->filled;

        n = len < n ? len : n;
        memcpy(m->plain + m->filled, from, n);
        m->filled += n;
        from += n;
        len -= n;
        if (m->filled == FRAME_BYTES && pack_frame(m, err) < 0)
            return -1;
    }
    return 0;
}

static int make_bytes(struct index_maker *m, const char *directory,
                      bool allow_in_use, struct error *err)
{
    const struct tar_writer_options options = {
        .directory = directory,
        .sparse = true,
        .allow_in_use = allow_in_use,
        .is_index = true,
        .put = take_tar,
        .opaque = m,
    };
    struct tar_writer_report report;

    m->plain = malloc(FRAME_BYTES);
    m->packer = zstd_packer_open();
    if (!m->plain || !m->packer)
        return error_set(err, ERROR_SYSTEM, ENOMEM, "make an index");
    if (tar_writer_tree(&options, &report, err) < 0)
        return -1;
    return m->filled > 0 ? pack_frame(m, err) : 0;
}

int tree_index_make(const char *directory, bool allow_in_use,
                    struct tree_index **index, struct error *err)
{
    struct index_maker m = { 0 };
    int r = make_bytes(&m, directory, allow_in_use, err);

    *index = NULL;
    if (r == 0)
        r = tree_index_read(TAKE_PTR(m.bytes), m.len, index, err);
    free(m.plain);
    free(m.bytes);
    zstd_packer_close(m.packer);
    return r;
}

/* ---- questions ---- */

bool tree_index_is_equal(const struct tree_index *one,
                         const struct tree_index *two)
{
    return one->len == two->len &&
           memcmp(one->bytes, two->bytes, one->len) == 0;
}

size_t tree_index_find(const struct tree_index *index, uint64_t offset)
{
    size_t low = 0, high = index->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct tree_file *f = &index->files[middle];

        if (f->offset + f->size_bytes <= offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const char *tree_index_path(const struct tree_index *index, size_t number)
{
    return index->names + index->files[number].name;
}

void tree_index_free(struct tree_index *index)
{
    if (!index)
        return;
    free(index->bytes);
    free(index->files);
    free(index->names);
    free(index);
}
