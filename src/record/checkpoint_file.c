#include "record/checkpoint_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "io/file.h"
#include "plan/chunk_grid.h"

#define TEMPORARY_SUFFIX ".new"

static char *temporary_name(const char *path)
{
    char *name;

    return asprintf(&name, "%s" TEMPORARY_SUFFIX, path) < 0 ? NULL : name;
}

static int write_all(int fd, const uint8_t *data, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, data, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        data += n;
        len -= (size_t)n;
    }
    return 0;
}

/* May only we, root, or who may replace it anyway have written the record? */
static bool is_trusted_record(int fd, const char *path)
{
    const char *slash = strrchr(path, '/');
    AUTO_FREE char *directory = slash
                                    ? strndup(path, (size_t)(slash - path) + 1)
                                    : strdup(".");
    struct stat st, dir;

    return directory && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
           st.st_nlink == 1 && !(st.st_mode & S_IWOTH) &&
           (st.st_uid == geteuid() || st.st_uid == 0 ||
            (stat(directory, &dir) == 0 && st.st_uid == dir.st_uid));
}

/* Opens a record to be read.  Never waits, as for the writer of a FIFO, and
 * follows no link.  -1: there is none to be believed, and the log says why. */
static int open_record(const char *path)
{
    AUTO_FD int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);

    if (fd >= 0 && is_trusted_record(fd, path))
        return take_fd(&fd);
    if (fd >= 0 || errno == ELOOP)
        log_warn("%s is not used: it is not a file of our own that only we can "
                 "write",
                 path);
    return -1;
}

/* Reads len bytes; false at an earlier end, or an error. */
static bool read_all(int fd, uint8_t *data, size_t len)
{
    while (len > 0) {
        ssize_t n = read(fd, data, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        data += n;
        len -= (size_t)n;
    }
    return true;
}

/* A file with the code over all that goes through it. */
struct coded {
    int fd;
    struct digest_mac *mac; /* NULL: without */
};

static void auto_coded(struct coded *file)
{
    digest_mac_close(file->mac);
}

static struct coded coded_open(int fd, const uint8_t *key)
{
    return (struct coded){ fd, key ? digest_mac_open(key) : NULL };
}

static int coded_write(struct coded *file, const uint8_t *data, size_t len)
{
    if (file->mac)
        digest_mac_add(file->mac, data, len);
    return write_all(file->fd, data, len);
}

static bool coded_read(struct coded *file, uint8_t *data, size_t len)
{
    if (!read_all(file->fd, data, len))
        return false;
    if (file->mac)
        digest_mac_add(file->mac, data, len);
    return true;
}

/* The code so far; zero bytes without a key. */
static void coded_end(struct coded *file, uint8_t code[DIGEST_MAC_BYTES])
{
    memset(code, 0, DIGEST_MAC_BYTES);
    if (file->mac)
        digest_mac_end(file->mac, code);
}

/* 0 or -errno. */
static int write_record(struct coded *file, const struct checkpoint_head *head,
                        const struct chunk_bitmap *held,
                        const struct digest *digest)
{
    AUTO_FREE uint8_t *page = malloc(CHECKPOINT_PAGE_BYTES);
    uint8_t encoded[CHECKPOINT_HEAD_BYTES], code[DIGEST_MAC_BYTES];
    int r;

    if (!page)
        return -ENOMEM;
    checkpoint_encode_head(encoded, head);
    r = coded_write(file, encoded, sizeof(encoded));
    for (uint64_t i = 0; r == 0 && i < checkpoint_pages(held->chunks); i++)
        r = coded_write(file, page,
                        checkpoint_encode_page(page, encoded, i, held, digest));
    coded_end(file, code);
    if (r == 0)
        r = write_all(file->fd, code, sizeof(code));
    if (r == 0 && fdatasync(file->fd) < 0)
        r = -errno;
    return r;
}

int checkpoint_file_write(const char *path, const struct checkpoint_head *head,
                          const struct chunk_bitmap *held,
                          const struct digest *digest, const uint8_t *key,
                          struct error *err)
{
    AUTO_FREE char *name = temporary_name(path);
    AUTO_FD int fd = -1;
    AUTO(auto_coded) struct coded file = { .fd = -1 };
    int r;

    if (!name)
        return error_set(err, ERROR_SYSTEM, ENOMEM, "write %s", path);
    unlink(name); /* of a run that was killed, or planted */
    fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return error_set(err, ERROR_TARGET_IO, errno, "make %s", name);
    file = coded_open(fd, key);
    r = write_record(&file, head, held, digest);
    if (r < 0) {
        unlink(name);
        return error_set(err, ERROR_TARGET_IO, -r, "write %s", name);
    }
    return 0;
}

int checkpoint_file_commit(const char *path, struct error *err)
{
    AUTO_FREE char *name = temporary_name(path);
    int r;

    if (!name)
        return error_set(err, ERROR_SYSTEM, ENOMEM, "write %s", path);
    if (rename(name, path) < 0)
        return error_set(err, ERROR_TARGET_IO, errno, "rename %s to %s", name,
                         path);
    r = file_sync_directory(path);
    if (r < 0)
        return error_set(err, ERROR_TARGET_IO, -r, "flush directory of %s",
                         path);
    return 0;
}

void checkpoint_file_abandon(const char *path)
{
    AUTO_FREE char *name = temporary_name(path);

    if (name)
        unlink(name);
}

int checkpoint_file_remove(const char *path, struct error *err)
{
    struct stat st;
    int r;

    checkpoint_file_abandon(path);
    /* unlink() of no file says EROFS of a volume that is read-only. */
    if (lstat(path, &st) < 0 && errno == ENOENT)
        return 0;
    if (unlink(path) < 0)
        return error_set(err, ERROR_TARGET_IO, errno, "remove %s", path);
    r = file_sync_directory(path);
    if (r < 0)
        return error_set(err, ERROR_TARGET_IO, -r, "flush directory of %s",
                         path);
    return 0;
}

static bool is_bound(const struct checkpoint_head *found,
                     const struct checkpoint_head *wanted)
{
    return strcmp(found->sink, wanted->sink) == 0 &&
           found->chunk_bytes == wanted->chunk_bytes &&
           found->digest == wanted->digest &&
           found->virtual_bytes == wanted->virtual_bytes;
}

static bool read_pages(struct coded *file, const uint8_t *head,
                       struct chunk_bitmap *held, struct digest *digest)
{
    AUTO_FREE uint8_t *page = malloc(CHECKPOINT_PAGE_BYTES);
    size_t maps = (size_t)2 * CHECKPOINT_BITMAP_BYTES;

    if (!page)
        return false;
    for (uint64_t i = 0; i < checkpoint_pages(held->chunks); i++) {
        size_t len;

        if (!coded_read(file, page, maps))
            return false;
        len = checkpoint_page_bytes(page, digest_each(digest));
        if (!coded_read(file, page + maps, len - maps) ||
            !checkpoint_decode_page(page, len, head, i, held, digest))
            return false;
    }
    return true;
}

/* The end: the code, and nothing after it. */
static bool read_code(struct coded *file, bool *is_authentic)
{
    uint8_t code[DIGEST_MAC_BYTES], wanted[DIGEST_MAC_BYTES], more;

    coded_end(file, wanted);
    if (!read_all(file->fd, code, sizeof(code)) ||
        read(file->fd, &more, 1) != 0)
        return false;
    *is_authentic = file->mac && digest_mac_equal(code, wanted);
    return true;
}

bool checkpoint_file_look(const char *path, struct checkpoint_head *head)
{
    AUTO_FD int fd = open_record(path);
    uint8_t encoded[CHECKPOINT_HEAD_BYTES];

    return fd >= 0 && read_all(fd, encoded, sizeof(encoded)) &&
           checkpoint_decode_head(encoded, head);
}

enum checkpoint_file_result checkpoint_file_load(
    const char *path, struct checkpoint_head *wanted, struct chunk_bitmap *held,
    struct digest *digest, const uint8_t *key, bool *is_authentic)
{
    AUTO_FD int fd = open_record(path);
    AUTO(auto_coded) struct coded file = { .fd = -1 };
    uint8_t encoded[CHECKPOINT_HEAD_BYTES];
    struct checkpoint_head found;

    *is_authentic = false;
    if (fd < 0)
        return CHECKPOINT_FILE_NONE;
    file = coded_open(fd, key);
    if (!coded_read(&file, encoded, sizeof(encoded)) ||
        !checkpoint_decode_head(encoded, &found))
        return CHECKPOINT_FILE_DAMAGED;
    if (strcmp(found.job, wanted->job) != 0)
        return CHECKPOINT_FILE_OTHER_JOB;
    if (!is_bound(&found, wanted))
        return CHECKPOINT_FILE_FOREIGN;
    *wanted = found;
    return read_pages(&file, encoded, held, digest) &&
                   read_code(&file, is_authentic)
               ? CHECKPOINT_FILE_OK
               : CHECKPOINT_FILE_DAMAGED;
}
