#include "tar/tree_files.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/iszero.h"
#include "io/limits.h"
#include "tar/safe_path.h"

/* A smaller part of a file is moved at once: the I/O queue would cost more. */
#define QUEUE_MIN_BYTES ((size_t)64 << 10)

/* One open file. */
struct tree_slot {
    struct file file; /* first */
    struct tree_files *files;
    size_t number;
    unsigned users;    /* 0: may be closed */
    uint64_t last_use; /* by tree_files.clock */
    bool is_extra;     /* beyond max_open: closed with its last user */
    struct file_window window;
};

struct tree_files {
    struct tree_files_options options;
    uint64_t window_bytes;
    pthread_mutex_t lock; /* of what follows */
    uint64_t clock;
    struct tree_slot slots[]; /* max_open */
};

int tree_files_open(const struct tree_files_options *options,
                    struct tree_files **files, struct error *err)
{
    struct tree_files *t = calloc(1, sizeof(*t) + options->max_open *
                                                      sizeof(t->slots[0]));

    if (!t)
        return error_set(err, ERROR_SYSTEM, ENOMEM, "open files");
    t->options = *options;
    t->window_bytes = file_window_bytes(limits_memory_bytes());
    pthread_mutex_init(&t->lock, NULL);
    for (unsigned i = 0; i < options->max_open; i++)
        t->slots[i] = (struct tree_slot){ .file = FILE_CLOSED, .files = t };
    *files = t;
    return 0;
}

void tree_files_close(struct tree_files *files)
{
    if (!files)
        return;
    for (unsigned i = 0; i < files->options.max_open; i++)
        file_close(&files->slots[i].file);
    pthread_mutex_destroy(&files->lock);
    free(files);
}

/* ---- open files ---- */

/* 0 or -errno. */
static int open_slot(struct tree_files *t, struct tree_slot *slot)
{
    const char *path = tree_index_path(t->options.index, slot->number);
    struct safe_path at;
    int r = safe_path_open(&at, t->options.dir_fd, path, false);

    if (r != 0)
        return r < 0 ? r : -EISDIR;
    slot->file = (struct file)FILE_CLOSED;
    slot->file.fd = openat(at.fd, at.name,
                           (t->options.writes ? O_RDWR : O_RDONLY) |
                               O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    r = slot->file.fd < 0 ? -errno : 0;
    safe_path_close(&at);
    slot->file.mode = CW_IO_MODE_BUFFERED;
    slot->file.align_bytes = slot->file.sector_bytes = 512;
    slot->file.window_bytes = t->window_bytes;
    slot->file.size_bytes = t->options.index->files[slot->number].size_bytes;
    slot->window = (struct file_window){ 0 };
    return r;
}

/* A slot that has the file, or may be used for it.  NULL: all are in use. */
static struct tree_slot *choose_slot(struct tree_files *t, size_t number)
{
    struct tree_slot *best = NULL;

    for (unsigned i = 0; i < t->options.max_open; i++) {
        struct tree_slot *slot = &t->slots[i];

        if (slot->file.fd >= 0 && slot->number == number)
            return slot;
        if (slot->users == 0 && (!best || slot->last_use < best->last_use))
            best = slot;
    }
    return best;
}

static int take_slot(struct tree_files *t, size_t number,
                     struct tree_slot **slot)
{
    struct tree_slot *s = choose_slot(t, number);
    int r;

    if (!s) {
        s = calloc(1, sizeof(*s));
        if (!s)
            return -ENOMEM;
        *s = (struct tree_slot){ .file = FILE_CLOSED,
                                 .files = t,
                                 .is_extra = true };
    }
    if (s->file.fd < 0 || s->number != number) {
        file_close(&s->file);
        s->number = number;
        r = open_slot(t, s);
        if (r < 0) {
            if (s->is_extra)
                free(s);
            return r;
        }
    }
    s->users++;
    s->last_use = ++t->clock;
    *slot = s;
    return 0;
}

static void report_failure(const struct tree_files *t, size_t number,
                           uint64_t offset, int r)
{
    if (t->options.failed)
        t->options.failed(t->options.opaque,
                          tree_index_path(t->options.index, number), offset, r);
}

int tree_files_borrow(struct tree_files *files, size_t number,
                      struct file **file)
{
    struct tree_slot *slot = NULL;
    int r;

    pthread_mutex_lock(&files->lock);
    r = take_slot(files, number, &slot);
    pthread_mutex_unlock(&files->lock);
    if (r < 0)
        report_failure(files, number, 0, r);
    else
        *file = &slot->file;
    return r;
}

void tree_files_release(struct tree_files *files, struct file *file)
{
    struct tree_slot *slot = (struct tree_slot *)file;
    bool is_over;

    pthread_mutex_lock(&files->lock);
    is_over = --slot->users == 0 && slot->is_extra;
    pthread_mutex_unlock(&files->lock);
    if (!is_over)
        return;
    file_close(&slot->file);
    free(slot);
}

/* ---- a range within one file ---- */

/* Called by io_queue_reap(). */
static struct io *range_completed(struct io *io)
{
    struct tree_slot *slot = (struct tree_slot *)io->file;
    struct tree_files *t = slot->files;

    if (io->result < 0)
        report_failure(t, slot->number, io->offset, io->result);
    else if (io->op == IO_WRITE)
        sync_file_range(slot->file.fd, (off_t)io->offset, (off_t)io->len,
                        SYNC_FILE_RANGE_WRITE); /* starts it, early */
    io->offset += t->options.index->files[slot->number].offset;
    io->complete = NULL;
    tree_files_release(t, &slot->file);
    return io;
}

static void submit_range(struct tree_files *t, struct io_queue *queue,
                         struct io *io, size_t number)
{
    struct file *file;
    int r = tree_files_borrow(t, number, &file);

    if (r < 0) {
        io_queue_post(queue, io, r);
        return;
    }
    io->file = file;
    io->offset -= t->options.index->files[number].offset;
    io->complete = range_completed;
    if (!t->options.writes) /* then it has one thread */
        file_window_read(&((struct tree_slot *)file)->window, file, io->offset,
                         io->len);
    io_queue_submit(queue, io);
}

/* ---- a range of several files, or outside of files ---- */

/* 0 or -errno; *done: bytes before the failure. */
static int move_bytes(const struct io *io, int fd, uint8_t *buf, size_t len,
                      uint64_t offset)
{
    while (len > 0) {
        ssize_t n = io->op == IO_READ ? pread(fd, buf, len, (off_t)offset)
                                      : pwrite(fd, buf, len, (off_t)offset);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (n == 0)
            return -ENODATA;
        buf += n;
        len -= (size_t)n;
        offset += (uint64_t)n;
    }
    return 0;
}

/* Bytes [at, at+len) of the file. */
static int move_in_file(struct tree_files *t, const struct io *io,
                        size_t number, uint64_t at, size_t len)
{
    const struct tree_file *f = &t->options.index->files[number];
    struct file *file;
    int r = tree_files_borrow(t, number, &file);

    if (r < 0)
        return r;
    r = move_bytes(io, file->fd, io->buf + (at - io->offset), len,
                   at - f->offset);
    if (r < 0)
        report_failure(t, number, at - f->offset, r);
    tree_files_release(t, file);
    return r;
}

/* Bytes [at, at+len) before data_begin. */
static int move_index(const struct tree_files *t, const struct io *io,
                      uint64_t at, size_t len)
{
    const struct tree_index *index = t->options.index;
    uint8_t *buf = io->buf + (at - io->offset);
    size_t part = at >= index->len        ? 0
                  : len > index->len - at ? index->len - (size_t)at
                                          : len;

    if (io->op == IO_READ) {
        memcpy(buf, index->bytes + at, part);
        memset(buf + part, 0, len - part);
        return 0;
    }
    return memcmp(buf, index->bytes + at, part) == 0 &&
                   iszero(buf + part, len - part)
               ? 0
               : -EBADMSG;
}

static int move_gap(const struct io *io, uint64_t at, size_t len)
{
    uint8_t *buf = io->buf + (at - io->offset);

    if (io->op != IO_READ)
        return iszero(buf, len) ? 0 : -EBADMSG;
    memset(buf, 0, len);
    return 0;
}

/* 0 or -errno. */
static int move_range(struct tree_files *t, const struct io *io)
{
    const struct tree_index *index = t->options.index;
    uint64_t at = io->offset, end = io->offset + io->len, to;
    int r = 0;

    for (; r == 0 && at < end; at = to) {
        size_t number = tree_index_find(index, at);
        const struct tree_file *f = &index->files[number];

        to = end;
        if (at < index->data_begin) {
            to = to < index->data_begin ? to : index->data_begin;
            r = move_index(t, io, at, (size_t)(to - at));
        } else if (number == index->count || at < f->offset) {
            if (number < index->count && to > f->offset)
                to = f->offset;
            r = move_gap(io, at, (size_t)(to - at));
        } else {
            if (to > f->offset + f->size_bytes)
                to = f->offset + f->size_bytes;
            r = move_in_file(t, io, number, at, (size_t)(to - at));
        }
    }
    return r;
}

void tree_files_submit(struct tree_files *files, struct io_queue *queue,
                       struct io *io)
{
    const struct tree_index *index = files->options.index;
    size_t number = tree_index_find(index, io->offset);
    const struct tree_file *f = &index->files[number];

    if (io->len >= QUEUE_MIN_BYTES && number < index->count &&
        io->offset >= f->offset &&
        io->len <= f->size_bytes - (io->offset - f->offset))
        submit_range(files, queue, io, number);
    else
        io_queue_post(queue, io, move_range(files, io));
}
