/*
 * tree_index.h - a directory as a disk: what there is, and where on the disk
 * the content of each file lies.
 *
 *   0           the index: a tar stream in which each file is one hole, in
 *               zstd frames of at most 1 MiB of content
 *   data_begin  the content of the first file that is not empty
 *   ...         each next one; all begin at a multiple of BLOCK_BYTES
 *
 * Gaps read as zero.  The index is made of names, modes, times, links, user
 * attributes and ACLs, not of owners: equal trees have equal disks.
 *
 * Immutable once made: many threads may use one.
 */
#ifndef CW_TAR_TREE_INDEX_H
#define CW_TAR_TREE_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/zstd.h"
#include "io/piece_source.h"

/* The longest index, and what the table of its files may take in memory. */
#define TREE_INDEX_MAX_BYTES (UINT64_C(64) << 20)

struct tree_file {
    uint64_t offset;     /* on the disk */
    uint64_t size_bytes; /* > 0 */
    size_t name;         /* its place in names */
};

struct tree_index {
    uint8_t *bytes; /* owned */
    size_t len;
    uint64_t data_begin;
    uint64_t virtual_bytes;  /* whole blocks */
    struct tree_file *files; /* owned; ascending: not empty, not hard links */
    size_t count;
    char *names; /* owned */
    size_t names_len;
};

/*
 * Makes the index of a directory, which is only read.  The caller owns *index.
 * Blocks.  Errors as of tar_writer_tree(); ERROR_FORMAT: the index is longer
 * than TREE_INDEX_MAX_BYTES.
 */
int tree_index_make(const char *directory, bool allow_in_use,
                    struct tree_index **index, struct error *err);

/*
 * Reads an index of len bytes, which is moved.  The caller owns *index.  Names
 * are not checked.  ERROR_PROTOCOL: it is damaged; ERROR_REFUSED: its table is
 * longer than TREE_INDEX_MAX_BYTES, or the disk than INT64_MAX.
 */
int tree_index_read(uint8_t *bytes, size_t len, struct tree_index **index,
                    struct error *err);

/* The caller owns *copy.  ERROR_SYSTEM. */
int tree_index_copy(const struct tree_index *index, struct tree_index **copy,
                    struct error *err);

bool tree_index_is_equal(const struct tree_index *one,
                         const struct tree_index *two);

/* The number of the file that holds offset, or else of the next one; count:
 * there is none. */
size_t tree_index_find(const struct tree_index *index, uint64_t offset);

/* Path of the file below the directory. */
const char *tree_index_path(const struct tree_index *index, size_t number);

/* Accepts NULL. */
void tree_index_free(struct tree_index *index);

/* The tar stream of an index. */
struct tree_index_stream {
    const uint8_t *bytes; /* borrowed */
    size_t len, at;
    uint64_t plain_bytes; /* so far */
    uint8_t *plain;       /* owned */
    struct zstd_unpacker *unpacker;
    struct piece_source source;
};

/* Begins *stream, whose source is then open; the index is borrowed.
 * ERROR_SYSTEM. */
int tree_index_stream_open(struct tree_index_stream *stream,
                           const uint8_t *bytes, size_t len, struct error *err);
void tree_index_stream_close(struct tree_index_stream *stream);

#endif
