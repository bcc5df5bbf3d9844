#include "tar/reader.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "tar/name_locale.h"

#define USER_XATTR "user."
#define CAPABILITY "security.capability"

struct tree_reader {
    struct archive *archive;     /* owned */
    struct archive_entry *entry; /* the archive's; NULL: none yet */
    struct piece_source input;
    struct name_locale names;
    struct error failure; /* of the input; ERROR_NONE: none */
    bool is_done;         /* the archive is at its end */
    bool has_ended;       /* the input has ended */
    bool keep_setid;      /* and file capabilities */
    bool is_setid_told;   /* the log says that they are left out */
    bool is_in_header;    /* and not in content */
    uint64_t head_bytes;  /* of this header, as far as they came */
    uint64_t size_bytes;  /* of the entry */
    uint64_t at;          /* the minimum offset of its next piece */
};

static inline void auto_reader(struct tree_reader **reader)
{
    tree_reader_close(*reader);
}

/* libarchive's callback. */
static la_ssize_t more(struct archive *archive, void *opaque, const void **data)
{
    struct tree_reader *reader = opaque;
    ssize_t n = reader->input.next(reader->input.opaque, data,
                                   &reader->failure);

    reader->has_ended = n <= 0;
    if (n < 0) {
        archive_set_error(archive, EIO, "%s", "input");
        return n;
    }
    reader->head_bytes += (uint64_t)n;
    if (!reader->is_in_header || reader->head_bytes <= TREE_READER_HEAD_BYTES)
        return n;
    archive_set_error(archive, EIO, "%s", "input");
    return error_set(&reader->failure, ERROR_REFUSED, 0,
                     "read the tar stream: the header of an entry, with the "
                     "map of its holes, is larger than %llu MiB",
                     (unsigned long long)TREE_READER_HEAD_BYTES >> 20);
}

/* Reports libarchive's error, unless the input itself has failed. */
static int read_failed(struct tree_reader *reader, struct error *err)
{
    const char *why = archive_error_string(reader->archive);

    if (reader->failure.kind != ERROR_NONE) {
        *err = reader->failure;
        return -1;
    }
    return error_set(err, ERROR_PROTOCOL, 0, "read the tar stream: %s",
                     why ? why : "damaged");
}

int tree_reader_open(const struct piece_source *input,
                     struct tree_reader **reader, struct error *err)
{
    AUTO(auto_reader) struct tree_reader *r = calloc(1, sizeof(*r));

    if (!r)
        return error_set(err, ERROR_SYSTEM, ENOMEM, "read a tar stream");
    r->input = *input;
    name_locale_begin(&r->names, NAME_LOCALE_READ);
    r->archive = archive_read_new();
    if (!r->archive ||
        archive_read_support_format_tar(r->archive) != ARCHIVE_OK)
        return error_set(err, ERROR_SYSTEM, ENOMEM, "read a tar stream");
    if (archive_read_open(r->archive, r, NULL, more, NULL) != ARCHIVE_OK)
        return read_failed(r, err);
    *reader = TAKE_PTR(r);
    return 0;
}

static struct timespec when(bool is_set, time_t seconds, long nanoseconds)
{
    return is_set ? (struct timespec){ seconds, nanoseconds }
                  : (struct timespec){ 0, UTIME_OMIT };
}

/* ---- rights of others ---- */

void tree_reader_keep_setid(struct tree_reader *reader)
{
    reader->keep_setid = true;
}

static void leave_out(struct tree_reader *reader, const char *what)
{
    if (!reader->is_setid_told)
        log_warn("%s: %s left out, as of all files in the stream; "
                 "--keep-setid keeps them",
                 archive_entry_pathname(reader->entry), what);
    reader->is_setid_told = true;
}

/* The mode of the entry; a directory's setgid bit only names a group. */
static mode_t mode_of(struct tree_reader *reader)
{
    mode_t mode = posix_acl_mode(reader->entry);

    if (reader->keep_setid || S_ISDIR(mode) || !(mode & (S_ISUID | S_ISGID)))
        return mode;
    leave_out(reader, "setuid and setgid bits are");
    return mode & ~(mode_t)(S_ISUID | S_ISGID);
}

/* ---- entries ---- */

/* What an entry must have and lacks; NULL: nothing. */
static const char *missing_part(const struct tree_entry *entry, int64_t size)
{
    if (!entry->path || entry->path[0] == '\0')
        return "a name";
    if (S_ISLNK(entry->mode) && !entry->link)
        return "a target";
    return size < 0 ? "a size" : NULL;
}

static int fill_entry(struct tree_reader *reader, struct tree_entry *entry,
                      struct error *err)
{
    struct archive_entry *e = reader->entry;
    const char *hard = archive_entry_hardlink(e);
    int64_t size = archive_entry_size(e), offset, length;
    const char *missing;

    *entry = (struct tree_entry){
        .path = archive_entry_pathname(e), /* its bytes: name_locale.h */
        .link = hard ? hard : archive_entry_symlink(e),
        .is_hard_link = hard != NULL,
        .mode = mode_of(reader),
        .modified = when(archive_entry_mtime_is_set(e), archive_entry_mtime(e),
                         archive_entry_mtime_nsec(e)),
        .accessed = when(archive_entry_atime_is_set(e), archive_entry_atime(e),
                         archive_entry_atime_nsec(e)),
    };
    missing = missing_part(entry, size);
    if (missing)
        return error_set(err, ERROR_PROTOCOL, 0,
                         "read the tar stream: an entry without %s", missing);
    entry->size_bytes = entry->data_bytes = (uint64_t)size;
    if (archive_entry_sparse_reset(e) > 0) {
        entry->data_bytes = 0;
        while (archive_entry_sparse_next(e, &offset, &length) == ARCHIVE_OK)
            entry->data_bytes += (uint64_t)length;
    }
    return 1;
}

int tree_reader_next(struct tree_reader *reader, struct tree_entry *entry,
                     struct error *err)
{
    int r;

    if (reader->is_done)
        return 0;
    if (reader->entry && archive_read_data_skip(reader->archive) < ARCHIVE_WARN)
        return read_failed(reader, err);
    reader->head_bytes = 0;
    reader->is_in_header = true;
    r = archive_read_next_header(reader->archive, &reader->entry);
    reader->is_in_header = false;
    reader->is_done = r == ARCHIVE_EOF && reader->failure.kind == ERROR_NONE;
    if (reader->is_done)
        return 0;
    if (r != ARCHIVE_OK && r != ARCHIVE_WARN)
        return read_failed(reader, err);
    tree_reader_xattr_restart(reader);
    if (fill_entry(reader, entry, err) < 0)
        return -1;
    reader->size_bytes = entry->size_bytes;
    reader->at = 0;
    return 1;
}

bool tree_reader_is_carried(const char *name)
{
    return strncmp(name, USER_XATTR, sizeof(USER_XATTR) - 1) == 0 ||
           strcmp(name, CAPABILITY) == 0;
}

bool tree_reader_xattr(struct tree_reader *reader, const char **name,
                       const void **value, size_t *len)
{
    while (archive_entry_xattr_next(reader->entry, name, value, len) ==
           ARCHIVE_OK) {
        if (!tree_reader_is_carried(*name))
            continue;
        if (reader->keep_setid || strcmp(*name, CAPABILITY) != 0)
            return true;
        leave_out(reader, "file capabilities are");
    }
    return false;
}

void tree_reader_xattr_restart(struct tree_reader *reader)
{
    archive_entry_xattr_reset(reader->entry);
}

int tree_reader_acls(struct tree_reader *reader, struct acls *acls)
{
    return posix_acl_take(reader->entry, acls);
}

int tree_reader_data(struct tree_reader *reader, const void **data, size_t *len,
                     uint64_t *offset, struct error *err)
{
    int64_t at = 0;
    int r;

    do {
        r = archive_read_data_block(reader->archive, data, len, &at);
        if (r == ARCHIVE_EOF)
            return 0;
        if (r != ARCHIVE_OK)
            return read_failed(reader, err);
    } while (*len == 0);
    *offset = (uint64_t)at;
    if (at < 0 || *offset < reader->at || *offset > reader->size_bytes ||
        *len > reader->size_bytes - *offset)
        return error_set(err, ERROR_PROTOCOL, 0,
                         "read the tar stream: a piece of a file is not "
                         "where it can be");
    reader->at = *offset + *len;
    return 1;
}

static const char *without_dot(const char *path)
{
    while (path[0] == '.' && path[1] == '/')
        for (path += 2; *path == '/';)
            path++;
    return path;
}

int tree_reader_find(struct tree_reader *reader, const char *name,
                     struct tree_entry *entry, struct error *err)
{
    int r;

    while ((r = tree_reader_next(reader, entry, err)) > 0) {
        if (strcmp(without_dot(entry->path), name) != 0)
            continue;
        if (S_ISREG(entry->mode) && !entry->link)
            return 1;
        return error_set(err, ERROR_FORMAT, 0,
                         "%s in the tar stream is not a regular file, so it "
                         "cannot be read as a disk",
                         name);
    }
    return r;
}

/* Reads what follows the end of the archive: the rest of tar's last block. */
static int drain(struct tree_reader *reader, struct error *err)
{
    const void *data;

    while (!reader->has_ended)
        if (more(reader->archive, reader, &data) < 0)
            return read_failed(reader, err);
    return 0;
}

int tree_reader_finish(struct tree_reader *reader, struct error *err)
{
    struct tree_entry entry;
    int r;

    do {
        r = tree_reader_next(reader, &entry, err);
    } while (r > 0);
    return r < 0 ? -1 : drain(reader, err);
}

void tree_reader_close(struct tree_reader *reader)
{
    if (!reader)
        return;
    archive_read_free(reader->archive);
    name_locale_end(&reader->names);
    free(reader);
}
