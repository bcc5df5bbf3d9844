#include "image/image.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "image/backing.h"
#include "image/image_identity.h"
#include "image/probe.h"
#include "image/qcow2/qcow2.h"
#include "image/qcow2/sequential.h"
#include "image/raw.h"
#include "image/raw_stream.h"
#include "image/standard_input.h"
#include "image/stream/gzip.h"
#include "image/stream/peek_pipe.h"
#include "image/stream/plain.h"
#include "image/stream/source_file.h"
#include "image/stream/xz.h"
#include "image/stream/xz_sequential.h"
#include "image/stream/zstd_sequential.h"
#include "plan/chunk_grid.h"

/* What is known so far of an image that is being opened. */
struct opening {
    const struct image_options *options;
    const char *real_path; /* to open; options->path is for people */
    unsigned depth;        /* images this one backs */
    enum image_format format;
    enum image_compression compression;
    struct file file;       /* owned; closed once moved */
    struct peek_pipe *pipe; /* the container, if no file; of like, or owned */
    struct stream *stream;  /* owned; NULL: not compressed, or moved */
    struct source_guard *guard; /* owned; of the first image */
    bool is_once;               /* a QCOW2 to be read as it comes, */
    struct qcow2_header header; /* of which this is known, */
    struct file again;          /* and this, where it can be read again */
};

static void opening_fini(struct opening *opening)
{
    stream_close(opening->stream);
    file_close(&opening->file);
    file_close(&opening->again);
    source_guard_close(opening->guard);
    if (!opening->options->like)
        peek_pipe_close(opening->pipe);
}

/* A pipe gives what it has; a sector may come in pieces. */
static ssize_t read_head(struct peek_pipe *pipe, uint8_t head[PROBE_HEAD_BYTES],
                         struct error *err)
{
    size_t len = 0;

    while (len < PROBE_HEAD_BYTES) {
        ssize_t n = peek_pipe_read(pipe, head + len, PROBE_HEAD_BYTES - len,
                                   len, err);

        if (n < 0)
            return n;
        if (n == 0)
            break;
        len += (size_t)n;
    }
    return (ssize_t)len;
}

static int probe_file(const struct opening *opening, struct probe *probe,
                      struct error *err)
{
    uint8_t head[PROBE_HEAD_BYTES], tail[PROBE_TAIL_BYTES];
    const struct file *file = &opening->file;
    ssize_t head_len, tail_len = 0;

    if (opening->pipe) {
        head_len = read_head(opening->pipe, head, err);
        if (head_len < 0)
            return error_wrap(err, "%s", opening->options->path);
    } else {
        head_len = source_file_read(file, head, sizeof(head), 0);
    }
    if (head_len >= 0 && !opening->pipe && file->size_bytes >= sizeof(tail))
        tail_len = source_file_read(file, tail, sizeof(tail),
                                    file->size_bytes - sizeof(tail));
    if (head_len < 0 || tail_len < 0)
        return error_set(
            err, ERROR_SOURCE_IO, (int)-(head_len < 0 ? head_len : tail_len),
            "read the first and last sector of %s", opening->options->path);
    *probe = probe_content(head, (size_t)head_len, tail, (size_t)tail_len);
    return 0;
}

/* Only its head: the end of a stream may be far to decode. */
static int probe_stream(const struct opening *opening, struct probe *probe,
                        struct error *err)
{
    struct stream *stream = opening->stream;
    uint8_t head[PROBE_HEAD_BYTES];
    size_t len = sizeof(head);

    if (stream->size_bytes < len)
        len = (size_t)stream->size_bytes;
    if (len > 0 && stream_read(stream, head, len, 0, err) < 0)
        return error_wrap(err, "%s", opening->options->path);
    *probe = probe_content(head, len, NULL, 0);
    return 0;
}

static int refuse_content(const struct opening *opening,
                          const struct probe *probe, struct error *err)
{
    return error_set(err, ERROR_FORMAT, 0,
                     "%s: looks like %s%s, which is not supported; unpack or "
                     "convert it, or say --format=raw if these bytes are the "
                     "disk",
                     opening->options->path, probe->name,
                     opening->compression == IMAGE_COMPRESSION_NONE
                         ? ""
                         : " inside a compressed file");
}

/*
 * A guest can write any header into its raw disk, so the user is told of a
 * guess: before the open, because that is when a damaged one is refused.
 */
static void tell_guess(const struct opening *opening, const struct probe *probe)
{
    if (!opening->options->like)
        log_info("%s: begins like %s and is read as such; if a guest wrote "
                 "that into its disk, say --format=raw",
                 opening->options->path, probe->name);
}

static int choose_compression(struct opening *opening, struct error *err)
{
    struct probe probe = { 0 };

    opening->compression = opening->options->compression;
    if (opening->options->like)
        opening->compression = opening->options->like->compression;
    if (opening->compression != IMAGE_COMPRESSION_AUTO)
        return 0;
    opening->compression = IMAGE_COMPRESSION_NONE;
    if (opening->format == IMAGE_FORMAT_RAW)
        return 0;
    if (probe_file(opening, &probe, err) < 0)
        return -1;
    if (probe.kind == PROBE_GZIP)
        opening->compression = IMAGE_COMPRESSION_GZIP;
    else if (probe.kind == PROBE_XZ)
        opening->compression = IMAGE_COMPRESSION_XZ;
    else if (probe.kind == PROBE_ZSTD && opening->options->takes_any_size)
        opening->compression = IMAGE_COMPRESSION_ZSTD;
    else
        return 0;
    tell_guess(opening, &probe);
    return 0;
}

/* Makes the guess the format, if it is one we read. */
static int take_guess(struct opening *opening, const struct probe *probe,
                      struct error *err)
{
    switch (probe->kind) {
    case PROBE_RAW: opening->format = IMAGE_FORMAT_RAW; return 0;
    case PROBE_QCOW2:
        tell_guess(opening, probe);
        opening->format = IMAGE_FORMAT_QCOW2;
        return 0;
    case PROBE_GZIP:
    case PROBE_XZ:
    case PROBE_ZSTD:
    case PROBE_FOREIGN:
    case PROBE_FOOTER: break;
    }
    return refuse_content(opening, probe, err);
}

/* ---- what comes in order ---- */

/* A stream from its beginning that stream_next() can read; file is moved. */
static int open_forward(const struct opening *opening, struct file *file,
                        struct stream **stream, struct error *err)
{
    struct gzip_options gzip = {
        .file = file,
        .pipe = opening->pipe,
        .path = opening->options->path,
        .is_forward = true,
    };

    switch (opening->compression) {
    case IMAGE_COMPRESSION_GZIP: return gzip_open(&gzip, stream, err);
    case IMAGE_COMPRESSION_XZ:
        return xz_sequential_open(file, opening->pipe, STREAM_SIZE_UNKNOWN,
                                  opening->options->queue != NULL, stream, err);
    case IMAGE_COMPRESSION_ZSTD:
        return zstd_sequential_open(opening->pipe, stream, err);
    case IMAGE_COMPRESSION_AUTO:
    case IMAGE_COMPRESSION_NONE: break;
    }
    return plain_open(opening->pipe, STREAM_SIZE_UNKNOWN, stream, err);
}

/* Reads the first bytes of what is inside.  Of an xz file, the index at its
 * end too: where it is cut off shows now. */
static int read_inside(const struct opening *opening, uint8_t *head,
                       size_t *len, struct error *err)
{
    struct file file = FILE_CLOSED;
    struct stream *stream = NULL;
    ssize_t n = 1;

    if (!opening->pipe && source_file_dup(&opening->file, &file, err) < 0)
        return -1;
    if ((opening->compression == IMAGE_COMPRESSION_XZ && !opening->pipe
             ? xz_open(&file, &stream, err)
             : open_forward(opening, &file, &stream, err)) < 0)
        return -1;
    for (*len = 0; *len < QCOW2_SEQUENTIAL_HEAD_BYTES && n > 0;
         *len += (size_t)n) {
        n = stream_next(stream, head + *len, QCOW2_SEQUENTIAL_HEAD_BYTES - *len,
                        err);
        if (n < 0)
            break;
    }
    stream_close(stream);
    return n < 0 ? -1 : 0;
}

/* The gate for a QCOW2 that is read as it comes. */
static int choose_once(struct opening *opening, const uint8_t *head, size_t len,
                       struct error *err)
{
    const struct image_options *options = opening->options;
    const struct qcow2_header *header = &opening->header;

    if (qcow2_sequential_header(head, len, &opening->header, err) < 0)
        return -1;
    if (opening->pipe && header->backing_name[0])
        return error_set(err, ERROR_FORMAT, 0,
                         "qcow2: backing file (%.200s) is needed, and what "
                         "comes through a pipe may have none; flatten it with "
                         "qemu-img convert",
                         header->backing_name);
    if (options->stream_bytes > 0 &&
        options->stream_bytes != header->virtual_bytes)
        return error_set(err, ERROR_USAGE, 0,
                         "a QCOW2 says its size itself, %" PRIu64
                         " bytes and not %" PRIu64 ": leave the size out",
                         header->virtual_bytes, options->stream_bytes);
    opening->is_once = header->backing_name[0] == '\0';
    return 0;
}

/* What is inside decides whether it is measured first or read as it comes. */
static int look_inside(struct opening *opening, struct error *err)
{
    const struct image *like = opening->options->like;
    AUTO_FREE uint8_t *head = NULL;
    struct probe probe;
    size_t len;

    if (like && image_has_order(like)) {
        opening->is_once = true;
        opening->header = *qcow2_sequential_like(like);
    }
    if (like || !opening->options->takes_any_order ||
        opening->format == IMAGE_FORMAT_RAW ||
        (!opening->pipe && opening->compression == IMAGE_COMPRESSION_NONE))
        return 0;
    head = malloc(QCOW2_SEQUENTIAL_HEAD_BYTES);
    if (!head)
        return error_set(err, ERROR_SYSTEM, ENOMEM, "open");
    if (read_inside(opening, head, &len, err) < 0)
        return error_wrap(err, "%s", opening->options->path);
    if (opening->format == IMAGE_FORMAT_AUTO) {
        probe = probe_content(head, len, NULL, 0);
        if (take_guess(opening, &probe, err) < 0)
            return -1;
    }
    if (opening->format != IMAGE_FORMAT_QCOW2)
        return 0;
    if (choose_once(opening, head, len, err) < 0)
        return error_wrap(err, "%s", opening->options->path);
    return 0;
}

/* ---- what is read by offset ---- */

/* A pipe as it stands, or what it unpacks to. */
static int open_pipe(struct opening *opening, struct error *err)
{
    const struct image_options *options = opening->options;
    uint64_t size_bytes = options->like ? options->like->stream->size_bytes
                                        : options->stream_bytes;

    if (size_bytes == 0 && options->takes_any_size)
        return open_forward(opening, &opening->file, &opening->stream, err);
    if (size_bytes == 0)
        return error_set(err, ERROR_USAGE, 0,
                         "%s: a pipe does not say how large the disk in it "
                         "is: give the size",
                         options->path);
    if (opening->compression == IMAGE_COMPRESSION_GZIP)
        return 0;
    if (opening->compression == IMAGE_COMPRESSION_XZ)
        return xz_sequential_open(&opening->file, opening->pipe, size_bytes,
                                  options->queue != NULL, &opening->stream,
                                  err);
    return plain_open(opening->pipe, size_bytes, &opening->stream, err);
}

static int open_stream(struct opening *opening, struct error *err)
{
    const struct image_options *options = opening->options;
    struct gzip_options gzip = {
        .file = &opening->file,
        .pipe = opening->pipe,
        .path = options->path,
        .size_bytes = options->stream_bytes,
        .like = options->like ? options->like->stream : NULL,
    };
    int r = 0;

    if (opening->is_once && !options->queue)
        return 0;
    if (opening->is_once && opening->compression == IMAGE_COMPRESSION_XZ &&
        !opening->pipe &&
        source_file_dup(&opening->file, &opening->again, err) < 0)
        return -1;
    if (opening->is_once)
        return open_forward(opening, &opening->file, &opening->stream, err);
    if (opening->pipe && open_pipe(opening, err) < 0)
        return -1;
    if (opening->stream)
        return 0;
    switch (opening->compression) {
    case IMAGE_COMPRESSION_AUTO:
    case IMAGE_COMPRESSION_NONE: return 0;
    case IMAGE_COMPRESSION_GZIP:
        r = gzip_open(&gzip, &opening->stream, err);
        break;
    case IMAGE_COMPRESSION_XZ:
        if (!opening->pipe)
            r = xz_open(&opening->file, &opening->stream, err);
        break;
    case IMAGE_COMPRESSION_ZSTD:
        r = error_set(err, ERROR_FORMAT, 0, "zstd: is read in order only");
        break;
    }
    return r < 0 ? error_wrap(err, "%s", options->path) : 0;
}

/* A QCOW2 is read out of order: it cannot come through a pipe, and its
 * stream must have been measured. */
static int check_order(const struct opening *opening, struct error *err)
{
    if (opening->format == IMAGE_FORMAT_QCOW2 && opening->pipe)
        return error_set(err, ERROR_FORMAT, 0,
                         "%s: the map of a QCOW2 is not known before all of it "
                         "has come through the pipe; put it into a file",
                         opening->options->path);
    if (opening->compression != IMAGE_COMPRESSION_GZIP ||
        opening->format != IMAGE_FORMAT_QCOW2 ||
        opening->options->stream_bytes == 0)
        return 0;
    return error_set(err, ERROR_USAGE, 0,
                     "%s: a QCOW2 says its size itself: leave the size out",
                     opening->options->path);
}

/* Auto: what the content says, as long as we can read that. */
static int choose_format(struct opening *opening, struct error *err)
{
    struct probe probe = { 0 };

    if (opening->is_once)
        return 0;
    if (opening->format != IMAGE_FORMAT_AUTO)
        return check_order(opening, err);
    if ((opening->stream ? probe_stream(opening, &probe, err)
                         : probe_file(opening, &probe, err)) < 0)
        return -1;
    return take_guess(opening, &probe, err) < 0 ? -1
                                                : check_order(opening, err);
}

/* Moves what has been opened into the image of its format. */
static int open_format(struct opening *opening, struct image **img,
                       struct error *err)
{
    struct stream *stream = opening->stream;

    opening->stream = NULL;
    if (opening->is_once) {
        uint64_t host_bytes = opening->file.size_bytes; /* moved or not */

        if (qcow2_sequential_open(opening->options, &opening->header, stream,
                                  &opening->again, img, err) < 0)
            return -1;
        (*img)->host_bytes = host_bytes;
        return 0;
    }
    if (opening->format == IMAGE_FORMAT_QCOW2)
        return qcow2_open(opening->options, opening->depth, &opening->file,
                          stream, img, err);
    if (stream)
        return raw_stream_open(opening->options, stream, img, err);
    return raw_open(opening->options, &opening->file, img, err);
}

static int open_input(struct opening *opening, const struct byte_source *input,
                      struct error *err)
{
    const struct image *like = opening->options->like;

    opening->pipe = like ? like->pipe : peek_pipe_open(input);
    return opening->pipe ? 0 : error_set(err, ERROR_SYSTEM, ENOMEM, "open");
}

/* The file that `like` has open, whatever its name leads to by now. */
static int open_source_file(struct opening *opening, struct error *err)
{
    const struct image_options *options = opening->options;
    const struct source_guard *guard = opening->guard;

    if (options->like)
        guard = options->like->guard;
    return source_file_open(&opening->file,
                            guard && guard->path[0] ? guard->path
                                                    : opening->real_path,
                            options->path, options->mode, err);
}

/* Standard input may be a file after all: then it is read as one. */
static int open_container(struct opening *opening, struct error *err)
{
    const struct image_options *options = opening->options;
    const struct byte_source standard = {
        .read = standard_input_read,
        /* A descriptor, not an address. */
        .opaque = (void *)(intptr_t) // NOLINT(performance-no-int-to-ptr)
                  options->stop_fd,
    };

    if (options->input)
        return open_input(opening, options->input, err);
    if (strcmp(opening->real_path, "-") == 0 && standard_input_is_pipe())
        return open_input(opening, &standard, err);
    if (!options->like &&
        source_guard_open(&opening->guard, opening->real_path, options->path,
                          options->allow_in_use, err) < 0)
        return -1;
    return open_source_file(opening, err);
}

/* What a guest sees of a raw disk that ends inside a sector. */
static void pad(struct image *img, bool tells)
{
    uint64_t size_bytes = img->virtual_bytes;

    if (size_bytes == IMAGE_SIZE_UNKNOWN)
        return;
    img->padding_bytes = chunk_grid_padding(size_bytes);
    img->virtual_bytes += img->padding_bytes;
    if (tells && img->padding_bytes > 0)
        log_info("%s: its %" PRIu64 " bytes end inside a sector: padded with "
                 "%" PRIu64 " zeros to %" PRIu64 " bytes",
                 img->path, size_bytes, img->padding_bytes, img->virtual_bytes);
}

static int open_steps(struct opening *opening, struct image **img,
                      struct error *err)
{
    const struct image_options *options = opening->options;

    opening->format = options->like ? options->like->format : options->format;
    if (open_container(opening, err) < 0 ||
        choose_compression(opening, err) < 0 || look_inside(opening, err) < 0 ||
        open_stream(opening, err) < 0 || choose_format(opening, err) < 0 ||
        open_format(opening, img, err) < 0)
        return -1;
    (*img)->compression = opening->compression;
    if (!options->like)
        (*img)->pipe = TAKE_PTR(opening->pipe);
    pad(*img, !options->like);
    (*img)->guard = TAKE_PTR(opening->guard);
    if (image_check_like(options, *img, err) == 0)
        return 0;
    image_close(*img);
    return -1;
}

int image_open_layer(const struct image_options *options, const char *real_path,
                     unsigned depth, struct image **img, struct error *err)
{
    struct opening opening = {
        .options = options,
        .real_path = real_path,
        .depth = depth,
        .file = FILE_CLOSED,
        .again = FILE_CLOSED,
    };
    int r = open_steps(&opening, img, err);

    if (r < 0)
        *img = NULL;
    opening_fini(&opening);
    return r;
}

int image_open(const struct image_options *options, struct image **img,
               struct error *err)
{
    return image_open_layer(options, options->path, 0, img, err);
}

void image_close(struct image *img)
{
    struct source_guard *guard;
    struct peek_pipe *pipe;

    if (!img)
        return;
    guard = img->guard;
    pipe = img->pipe;
    img->ops->close(img);
    source_guard_close(guard);
    peek_pipe_close(pipe);
}

const char *image_format_text(const struct image *img)
{
    bool is_qcow2 = img->format == IMAGE_FORMAT_QCOW2;

    switch (img->compression) {
    case IMAGE_COMPRESSION_GZIP:
        return is_qcow2 ? "qcow2 in gzip" : "raw in gzip";
    case IMAGE_COMPRESSION_XZ: return is_qcow2 ? "qcow2 in xz" : "raw in xz";
    case IMAGE_COMPRESSION_ZSTD:
        return is_qcow2 ? "qcow2 in zstd" : "raw in zstd";
    case IMAGE_COMPRESSION_AUTO:
    case IMAGE_COMPRESSION_NONE: break;
    }
    return is_qcow2 ? "qcow2" : "raw";
}

int image_fail(struct image *img, struct error *err)
{
    error_wrap(err, "%s", img->path);
    if (img->failure.kind == ERROR_NONE)
        img->failure = *err;
    return -EIO;
}

int image_read_error(const struct image *img, const struct io *io,
                     struct error *err)
{
    const struct image *layer = img;

    while (layer->failure.kind == ERROR_NONE && layer->backing)
        layer = layer->backing;
    if (layer->failure.kind != ERROR_NONE) {
        *err = layer->failure;
        return -1;
    }
    if (io->result == -ENODATA)
        return error_set_at(err, ERROR_CHANGED, 0, io->offset,
                            "read %zu bytes at %" PRIu64
                            " of %s: the file has become shorter",
                            io->len, io->offset, img->path);
    return error_set_at(err, ERROR_SOURCE_IO, -io->result, io->offset,
                        "read %zu bytes at %" PRIu64 " of %s", io->len,
                        io->offset, img->path);
}
