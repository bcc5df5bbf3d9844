/* Limits the page cache of a buffered file to two windows per lane. */
#include "io/file.h"

#include <errno.h>
#include <fcntl.h>

#define WINDOW_MIN_BYTES  (UINT64_C(1) << 20)
#define WINDOWS_IN_MEMORY 16U

uint64_t file_window_bytes(uint64_t memory_bytes)
{
    uint64_t share = memory_bytes / WINDOWS_IN_MEMORY;

    if (share > FILE_WINDOW_BYTES)
        return FILE_WINDOW_BYTES;
    return share > WINDOW_MIN_BYTES ? share : WINDOW_MIN_BYTES;
}

static uint64_t size_of_window(const struct file *file)
{
    return file->window_bytes ? file->window_bytes : FILE_WINDOW_BYTES;
}

static bool refused(const atomic_bool *flag)
{
    return atomic_load_explicit(flag, memory_order_relaxed);
}

static bool fills_the_cache(const struct file *file)
{
    return file->mode == CW_IO_MODE_BUFFERED ||
           refused(&file->direct_refused) || refused(&file->dontcache_refused);
}

/*
 * Lanes complete slightly out of order and sometimes jump to another part of
 * the disk: a range at least one window away starts a new window.
 */
static bool is_far(const struct file_window *window, const struct file *file,
                   uint64_t offset, uint64_t length)
{
    if (offset >= window->end)
        return offset - window->end >= size_of_window(file);
    if (offset + length <= window->begin)
        return window->begin - (offset + length) >= size_of_window(file);
    return false;
}

static bool is_empty(const struct file_window *window)
{
    return window->begin == window->end;
}

static bool is_full(const struct file_window *window, const struct file *file)
{
    return window->end - window->begin >= size_of_window(file);
}

static void grow(struct file_window *window, uint64_t offset, uint64_t length)
{
    if (is_empty(window)) {
        window->begin = offset;
        window->end = offset + length;
        return;
    }
    if (offset < window->begin)
        window->begin = offset;
    if (offset + length > window->end)
        window->end = offset + length;
}

static void drop_previous(const struct file_window *window, int fd)
{
    /* A length of 0 would mean "to the end of the file".  This is advice: a
     * cache that does not shrink is not an error. */
    if (window->previous_begin != window->previous_end)
        posix_fadvise(fd, (off_t)window->previous_begin,
                      (off_t)(window->previous_end - window->previous_begin),
                      POSIX_FADV_DONTNEED);
}

static void slide(struct file_window *window)
{
    window->previous_begin = window->begin;
    window->previous_end = window->end;
    window->begin = window->end = 0;
}

static void turn_read(struct file_window *window, int fd)
{
    drop_previous(window, fd);
    slide(window);
}

static int sync_range(int fd, uint64_t begin, uint64_t end, unsigned how)
{
    if (begin == end)
        return 0;
    while (sync_file_range(fd, (off_t)begin, (off_t)(end - begin), how) < 0)
        if (errno != EINTR)
            return -errno;
    return 0;
}

/* Starts this window, then waits for the previous one: the disk never idles.
 * One call per window of 32 MiB; one per MiB costs 1.8 times the CPU. */
static int turn_written(struct file_window *window, int fd)
{
    int r = sync_range(fd, window->begin, window->end, SYNC_FILE_RANGE_WRITE);

    if (r < 0)
        return r;
    r = sync_range(fd, window->previous_begin, window->previous_end,
                   SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE |
                       SYNC_FILE_RANGE_WAIT_AFTER);
    if (r < 0)
        return r;
    drop_previous(window, fd);
    slide(window);
    return 0;
}

void file_window_read(struct file_window *window, const struct file *file,
                      uint64_t offset, uint64_t length)
{
    if (!fills_the_cache(file) || length == 0)
        return;
    if (!is_empty(window) && is_far(window, file, offset, length))
        turn_read(window, file->fd);
    grow(window, offset, length);
    if (is_full(window, file))
        turn_read(window, file->fd);
}

int file_window_written(struct file_window *window, const struct file *file,
                        uint64_t offset, uint64_t length)
{
    int r = 0;

    if (!fills_the_cache(file) || length == 0)
        return 0;
    if (!is_empty(window) && is_far(window, file, offset, length))
        r = turn_written(window, file->fd);
    if (r < 0)
        return r;
    grow(window, offset, length);
    return is_full(window, file) ? turn_written(window, file->fd) : 0;
}
