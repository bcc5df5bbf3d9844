#include "image/container.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/parse.h"
#include "image/stream/decoders.h"
#include "image/stream/peek_pipe.h"
#include "image/stream/source_file.h"
#include "io/spool.h"

/* ---- standard input ---- */

/*
 * False: standard input is a file or device that is opened again and read by
 * offset, or is closed.  True also for one that we may not open, or that was
 * read up to some offset already: it is read on from there.
 */
static bool stdin_is_pipe(void)
{
    struct stat st;

    if (fstat(STDIN_FILENO, &st) < 0)
        return false;
    if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
        return true;
    return lseek(STDIN_FILENO, 0, SEEK_CUR) > 0 ||
           (access("/proc/self/fd/0", R_OK) < 0 && errno == EACCES);
}

/* What is left to read of a file on standard input; 0: not known. */
static uint64_t stdin_rest_bytes(void)
{
    off_t at = lseek(STDIN_FILENO, 0, SEEK_CUR);
    struct stat st;

    if (at < 0 || fstat(STDIN_FILENO, &st) < 0 || !S_ISREG(st.st_mode) ||
        at >= st.st_size)
        return 0;
    return (uint64_t)(st.st_size - at);
}

/* Refuses standard input from which no image can come. */
static int check_stdin(struct error *err)
{
    if (isatty(STDIN_FILENO))
        return error_set(err, ERROR_USAGE, 0,
                         "standard input is a terminal: pipe or redirect an "
                         "image into it, or name the image");
    return 0;
}

/* Waits until standard input is readable, or stop_fd is. */
static int await_stdin(int stop_fd, struct error *err)
{
    struct pollfd fds[] = {
        { .fd = STDIN_FILENO, .events = POLLIN },
        { .fd = stop_fd > 0 ? stop_fd : -1, .events = POLLIN },
    };
    int r;

    do
        r = poll(fds, 2, -1);
    while (r < 0 && errno == EINTR);
    if (r < 0)
        return error_set(err, ERROR_SOURCE_IO, errno, "wait for input");
    return fds[1].revents != 0 ? error_set(err, ERROR_CANCELLED, 0, "stopped")
                               : 0;
}

/* As byte_source.read.  opaque: image_options.stop_fd. */
static ssize_t read_stdin(void *opaque, void *buf, size_t len,
                          struct error *err)
{
    ssize_t n;

    if (await_stdin((int)(intptr_t)opaque, err) < 0)
        return -1;
    do
        n = read(STDIN_FILENO, buf, len);
    while (n < 0 && errno == EINTR);
    if (n < 0 && errno == EBADF)
        error_set(err, ERROR_USAGE, 0,
                  "standard input is closed: pipe or redirect an image into "
                  "it, or name the image");
    else if (n < 0)
        error_set(err, ERROR_SOURCE_IO, errno, "read %zu bytes", len);
    return n;
}

/* ---- the container ---- */

static int open_input(struct container *c, const struct byte_source *input,
                      struct error *err)
{
    c->pipe = peek_pipe_open(input);
    return c->pipe ? 0 : error_set(err, ERROR_SYSTEM, ENOMEM, "open");
}

/* Opens the file of `like` again, not its name, which may have changed. */
static int open_source_file(struct container *c, const char *real_path,
                            struct error *err)
{
    const struct image_options *options = c->options;
    const struct source_guard *guard = c->guard;

    if (options->like)
        guard = options->like->guard;
    return source_file_open(&c->file,
                            guard && guard->path[0] ? guard->path : real_path,
                            options->path, options->mode, err);
}

/* Every reader opens the guard's descriptor again. */
static int open_guard(struct container *c, const char *real_path,
                      struct error *err)
{
    const struct image_options *options = c->options;

    return options->no_link
               ? source_guard_open_here(&c->guard, options->path,
                                        options->allow_in_use, err)
               : source_guard_open(&c->guard, real_path, options->path,
                                   options->allow_in_use, err);
}

int container_open(struct container *c, const char *real_path,
                   struct error *err)
{
    const struct image_options *options = c->options;
    const struct byte_source standard = {
        .read = read_stdin,
        /* A descriptor, not an address. */
        .opaque = (void *)(intptr_t) // NOLINT(performance-no-int-to-ptr)
                  options->stop_fd,
    };

    if (options->like && options->like->spool)
        return spool_share(options->like->spool, options->like->spool_bytes,
                           &c->file, err);
    if (options->like && options->like->pipe) {
        c->pipe = options->like->pipe;
        return 0;
    }
    if (options->input)
        return open_input(c, options->input, err);
    if (strcmp(real_path, "-") == 0 && stdin_is_pipe()) {
        c->rest_bytes = stdin_rest_bytes();
        return check_stdin(err) < 0 ? -1 : open_input(c, &standard, err);
    }
    if (!options->like && open_guard(c, real_path, err) < 0)
        return -1;
    return open_source_file(c, real_path, err);
}

void container_close(struct container *c)
{
    file_close(&c->file);
    source_guard_close(c->guard);
    if (!c->options->like)
        peek_pipe_close(c->pipe);
    spool_close(c->spool);
}

/* Opens a stream that decodes the container from its beginning; file is moved.
 * size_bytes, in_threads: as for the decoders. */
static int open_decoder(const struct container *c, struct file *file,
                        uint64_t size_bytes, bool in_threads,
                        struct stream **stream, struct error *err)
{
    bool is_unknown = size_bytes == STREAM_SIZE_UNKNOWN;
    struct gzip_options gzip = {
        .file = file,
        .pipe = c->pipe,
        .path = c->options->path,
        .size_bytes = is_unknown ? 0 : size_bytes,
        .is_forward = is_unknown,
    };

    switch (c->compression) {
    case IMAGE_COMPRESSION_GZIP: return gzip_open(&gzip, stream, err);
    case IMAGE_COMPRESSION_XZ:
        return xz_sequential_open(file, c->pipe, size_bytes, in_threads, stream,
                                  err);
    case IMAGE_COMPRESSION_ZSTD:
        return zstd_sequential_open(c->pipe, stream, err);
    case IMAGE_COMPRESSION_AUTO:
    case IMAGE_COMPRESSION_NONE: break;
    }
    return plain_open(c->pipe, size_bytes, stream, err);
}

static int open_forward(const struct container *c, struct file *file,
                        uint64_t size_bytes, struct stream **stream,
                        struct error *err)
{
    return open_decoder(c, file, size_bytes, c->options->queue != NULL, stream,
                        err);
}

/* ---- layers ---- */

/* A container inside another. */
struct inner {
    struct stream *stream;  /* owned; decodes the outer one */
    struct peek_pipe *pipe; /* owned; the outer one, or NULL: a file */
};

static ssize_t read_inner(void *opaque, void *buf, size_t len,
                          struct error *err)
{
    return stream_next(((struct inner *)opaque)->stream, buf, len, err);
}

static void close_inner(void *opaque)
{
    struct inner *inner = opaque;

    stream_close(inner->stream);
    peek_pipe_close(inner->pipe);
    free(inner);
}

/* A file that is read as a pipe. */
struct file_input {
    struct file file; /* owned */
    struct file_window window;
    uint64_t offset;
};

static ssize_t read_file_input(void *opaque, void *buf, size_t len,
                               struct error *err)
{
    struct file_input *in = opaque;
    ssize_t n = source_file_read(&in->file, buf, len, in->offset);

    if (n < 0)
        return error_set(err, ERROR_SOURCE_IO, (int)-n,
                         "read %zu bytes at %" PRIu64, len, in->offset);
    file_window_read(&in->window, &in->file, in->offset, (uint64_t)n);
    in->offset += (uint64_t)n;
    return n;
}

static void close_file_input(void *opaque)
{
    file_close(&((struct file_input *)opaque)->file);
    free(opaque);
}

int container_read_once(struct container *c, struct error *err)
{
    struct file_input *file = malloc(sizeof(*file));
    const struct byte_source input = {
        .read = read_file_input,
        .opaque = file,
        .close = close_file_input,
    };

    if (!file)
        return error_set(err, ERROR_SYSTEM, ENOMEM, "open");
    file->offset = 0;
    file->file = file_take(&c->file);
    file->window = (struct file_window){ 0 };
    source_file_read_cached(&file->file);
    if (open_input(c, &input, err) == 0)
        return 0;
    close_file_input(file);
    return -1;
}

int container_enter(struct container *c, struct error *err)
{
    struct inner *inner = calloc(1, sizeof(*inner));
    const struct byte_source input = { read_inner, inner, close_inner };

    if (!inner)
        return error_set(err, ERROR_SYSTEM, ENOMEM, "open");
    if (open_decoder(c, &c->file, STREAM_SIZE_UNKNOWN, true, &inner->stream,
                     err) < 0) {
        free(inner);
        return error_wrap(err, "%s", c->options->path);
    }
    inner->pipe = TAKE_PTR(c->pipe);
    if (open_input(c, &input, err) == 0)
        return 0;
    close_inner(inner);
    return -1;
}

/* ---- scratch space ---- */

static int fill_spool(struct container *c, struct stream *stream,
                      struct error *err)
{
    AUTO_FREE uint8_t *buf = malloc(STREAM_INPUT_BYTES);
    ssize_t n;

    if (!buf)
        return error_set(err, ERROR_SYSTEM, ENOMEM, "spool");
    while ((n = stream_next(stream, buf, STREAM_INPUT_BYTES, err)) > 0) {
        spool_write(c->spool, buf, (size_t)n, c->spool_bytes);
        c->spool_bytes += (uint64_t)n;
        if (spool_check(c->spool, err) < 0)
            return -1;
    }
    return n < 0 ? -1 : 0;
}

static int spool_stream(struct container *c, struct stream **stream,
                        struct error *err)
{
    if (spool_open(&c->spool, c->options->scratch_dir, 0, err) < 0 ||
        open_decoder(c, &c->file, STREAM_SIZE_UNKNOWN, true, stream, err) < 0)
        return -1;
    return fill_spool(c, *stream, err);
}

int container_spool(struct container *c, struct error *err)
{
    const struct image_options *options = c->options;
    struct stream *stream = NULL;
    char size[32];
    int r;

    log_info("%s: is read more than once: decoding it to scratch space in %s",
             options->path, options->scratch_dir);
    r = spool_stream(c, &stream, err);
    stream_close(stream);
    if (r == 0)
        r = spool_share(c->spool, c->spool_bytes, &c->file, err);
    if (r < 0)
        return error_wrap(err, "%s", options->path);
    peek_pipe_close(TAKE_PTR(c->pipe));
    c->compression = IMAGE_COMPRESSION_NONE;
    log_info("%s: %s (%" PRIu64 " bytes) are in scratch space", options->path,
             format_bytes(size, sizeof(size), c->spool_bytes), c->spool_bytes);
    return 0;
}

/* ---- detection ---- */

int container_read_head(const struct container *c, uint8_t *head, size_t *len,
                        struct error *err)
{
    struct file file = FILE_CLOSED;
    struct stream *stream = NULL;
    size_t max = *len;
    ssize_t n = 1;

    if (!c->pipe && source_file_dup(&c->file, &file, err) < 0)
        return -1;
    if ((c->compression == IMAGE_COMPRESSION_XZ && !c->pipe
             ? xz_open(&file, &stream, err)
             : open_forward(c, &file, STREAM_SIZE_UNKNOWN, &stream, err)) < 0)
        return -1;
    for (*len = 0; *len < max && n > 0; *len += (size_t)n) {
        n = stream_next(stream, head + *len, max - *len, err);
        if (n < 0)
            break;
    }
    stream_close(stream);
    return n < 0 ? -1 : 0;
}

static int probe_file(const struct container *c, struct probe *probe,
                      struct error *err)
{
    uint8_t head[PROBE_HEAD_BYTES], tail[PROBE_TAIL_BYTES];
    uint64_t size_bytes = c->file.size_bytes;
    ssize_t head_len, tail_len = 0;

    head_len = source_file_read(&c->file, head, sizeof(head), 0);
    if (head_len >= 0 && size_bytes >= sizeof(tail))
        tail_len = source_file_read(&c->file, tail, sizeof(tail),
                                    size_bytes - sizeof(tail));
    if (head_len < 0 || tail_len < 0)
        return error_set(
            err, ERROR_SOURCE_IO, (int)-(head_len < 0 ? head_len : tail_len),
            "read the first and last sector of %s", c->options->path);
    *probe = probe_content(head, (size_t)head_len, tail, (size_t)tail_len);
    return 0;
}

int container_probe(const struct container *c, struct probe *probe,
                    struct error *err)
{
    uint8_t head[PROBE_HEAD_BYTES];
    size_t len = sizeof(head);

    if (!c->pipe)
        return probe_file(c, probe, err);
    if (container_read_head(c, head, &len, err) < 0)
        return error_wrap(err, "%s", c->options->path);
    *probe = probe_content(head, len, NULL, 0);
    return 0;
}

/* The size of the disk in a pipe, or STREAM_SIZE_UNKNOWN. */
static int piped_size(const struct container *c, uint64_t *size_bytes,
                      struct error *err)
{
    const struct image_options *options = c->options;

    *size_bytes = options->like ? options->like->stream->size_bytes
                                : options->stream_bytes;
    if (*size_bytes == 0 && c->compression == IMAGE_COMPRESSION_NONE)
        *size_bytes = c->rest_bytes;
    if (*size_bytes == 0 && options->takes_any_size)
        *size_bytes = STREAM_SIZE_UNKNOWN;
    if (*size_bytes > 0)
        return 0;
    return error_set(err, ERROR_USAGE, 0,
                     "%s: a pipe does not have the size of the disk in it: "
                     "give the size",
                     options->path);
}

/* In order.  A file of xz stays open for a second reading, which a stream of
 * gzip does by itself. */
static int open_in_order(struct container *c, struct stream **stream,
                         struct error *err)
{
    struct file copy = FILE_CLOSED;
    bool keeps_file = c->compression == IMAGE_COMPRESSION_XZ && !c->pipe;

    if (!c->options->queue)
        return 0;
    if (keeps_file && source_file_dup(&c->file, &copy, err) < 0)
        return -1;
    return open_forward(c, keeps_file ? &copy : &c->file, STREAM_SIZE_UNKNOWN,
                        stream, err);
}

/* At any offset, from a file. */
static int open_seekable(struct container *c, struct stream **stream,
                         struct error *err)
{
    const struct image_options *options = c->options;
    struct gzip_options gzip = {
        .file = &c->file,
        .path = options->path,
        .size_bytes = options->stream_bytes,
        .like = options->like ? options->like->stream : NULL,
    };

    switch (c->compression) {
    case IMAGE_COMPRESSION_AUTO:
    case IMAGE_COMPRESSION_NONE: break;
    case IMAGE_COMPRESSION_GZIP: return gzip_open(&gzip, stream, err);
    case IMAGE_COMPRESSION_XZ: return xz_open(&c->file, stream, err);
    case IMAGE_COMPRESSION_ZSTD:
        return error_set(err, ERROR_FORMAT, 0, "zstd: is read in order only");
    }
    return 0;
}

int container_open_stream(struct container *c, bool in_order,
                          struct stream **stream, struct error *err)
{
    uint64_t size_bytes;

    if (in_order)
        return open_in_order(c, stream, err);
    if (c->pipe) {
        if (piped_size(c, &size_bytes, err) < 0)
            return -1;
        return open_forward(c, &c->file, size_bytes, stream, err);
    }
    if (open_seekable(c, stream, err) < 0)
        return error_wrap(err, "%s", c->options->path);
    return 0;
}
