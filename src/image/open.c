#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "image/backing.h"
#include "image/container.h"
#include "image/format.h"
#include "image/image.h"
#include "image/image_identity.h"
#include "image/nbd/nbd.h"
#include "image/probe.h"
#include "image/raw.h"
#include "image/stream/source_file.h"
#include "image/tree/tree.h"
#include "plan/chunk_grid.h"

/* What is known so far of an image that is being opened. */
struct opening {
    const struct image_options *options;
    unsigned depth; /* number of images that this one backs */
    enum cw_format format;
    struct container container;   /* owned, but for what the layer has */
    struct layer layer;           /* owned, but for what the format has taken */
    bool in_order;                /* read as it comes */
    enum image_compression inner; /* for people: of the content, and */
    enum image_compression outer; /* around that; AUTO: there is none */
};

static void opening_fini(struct opening *opening)
{
    container_close(&opening->container);
    stream_close(opening->layer.stream);
    file_close(&opening->layer.file);
    free(opening->layer.header.own);
    image_close(opening->layer.backing);
    free(opening->layer.backing_path);
}

static const struct format *opening_format(const struct opening *opening)
{
    return format_of(opening->format);
}

/* Does the format have a header, and so a size and a map of its own? */
static bool has_header(const struct opening *opening)
{
    return opening_format(opening)->describe != NULL;
}

/* ---- detection ---- */

/* Only its head: the end of a stream may be far to decode. */
static int probe_stream(const struct opening *opening, struct probe *probe,
                        struct error *err)
{
    struct stream *stream = opening->layer.stream;
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
    bool is_packed = opening->container.compression != IMAGE_COMPRESSION_NONE;
    const char *inside = is_packed ? " inside a compressed file" : "";

    if (probe->kind == PROBE_COMPRESSED && !opening->options->takes_any_size &&
        !opening->options->scratch_dir)
        return error_set(err, ERROR_FORMAT, 0,
                         "%s: looks like %s%s, which is decoded to scratch "
                         "space, and there is none: give --scratch=DIR, or "
                         "--format=raw if these bytes are the disk",
                         opening->options->path, probe->name, inside);
    error_set(err, ERROR_FORMAT, 0,
              "%s: looks like %s%s, which is not supported; unpack or convert "
              "it, or give --format=raw if these bytes are the disk",
              opening->options->path, probe->name, inside);
    if (!probe->qemu || is_packed || opening->container.pipe)
        return -1;
    return error_set(err, ERROR_FORMAT, 0,
                     "%s: looks like %s, which is not supported; " PROBE_SERVE(
                         "%s") "; or give --format=raw if these bytes are the "
                               "disk",
                     opening->options->path, probe->name, probe->qemu);
}

/*
 * A guest can write any header into its raw disk, so a guess is logged,
 * before the open, which refuses a damaged image.
 */
static void log_guess(const struct opening *opening, const struct probe *probe)
{
    if (!opening->options->like)
        log_info("%s: begins like %s and is read as such; if a guest wrote "
                 "that into its disk, give --format=raw",
                 opening->options->path, probe->name);
}

/* zstd has no index, and its size is not known before its end. */
static bool is_decoded(const struct image_options *options,
                       const struct probe *probe)
{
    return probe->kind == PROBE_COMPRESSED &&
           (probe->compression != IMAGE_COMPRESSION_ZSTD ||
            options->takes_any_size || options->scratch_dir);
}

static int choose_compression(struct opening *opening, struct error *err)
{
    const struct image_options *options = opening->options;
    struct probe probe = { 0 };

    opening->container.compression = options->like ? options->like->compression
                                                   : options->compression;
    if (opening->container.compression != IMAGE_COMPRESSION_AUTO)
        return 0;
    opening->container.compression = IMAGE_COMPRESSION_NONE;
    if (opening->format == CW_FORMAT_RAW)
        return 0;
    if (container_probe(&opening->container, &probe, err) < 0)
        return -1;
    if (!is_decoded(options, &probe))
        return 0;
    opening->container.compression = probe.compression;
    log_guess(opening, &probe);
    return 0;
}

/* What is compressed may be so twice.  zstd is only read from front to back. */
static int look_deeper(struct opening *opening, struct error *err)
{
    const struct image_options *options = opening->options;
    struct container *c = &opening->container;
    uint8_t head[PROBE_HEAD_BYTES];
    size_t len = sizeof(head);
    struct probe probe;

    if (options->like || c->compression == IMAGE_COMPRESSION_NONE)
        return 0;
    if (c->compression == IMAGE_COMPRESSION_ZSTD && !c->pipe &&
        container_read_once(c, err) < 0)
        return -1;
    if (options->compression != IMAGE_COMPRESSION_AUTO ||
        opening->format == CW_FORMAT_RAW)
        return 0;
    if (container_read_head(c, head, &len, err) < 0)
        return error_wrap(err, "%s", options->path);
    probe = probe_content(head, len, NULL, 0);
    if (!is_decoded(options, &probe))
        return 0;
    opening->outer = c->compression;
    if (container_enter(c, err) < 0)
        return -1;
    c->compression = probe.compression;
    log_guess(opening, &probe);
    return 0;
}

/* Makes the guess the format, if it is one we read. */
static int take_guess(struct opening *opening, const struct probe *probe,
                      struct error *err)
{
    if (probe->kind == PROBE_RAW) {
        opening->format = CW_FORMAT_RAW;
        return 0;
    }
    if (probe->kind != PROBE_IMAGE)
        return refuse_content(opening, probe, err);
    log_guess(opening, probe);
    opening->format = probe->format;
    return 0;
}

/* ---- what comes in order ---- */

/* A host of the first bytes of a stream. */
struct head {
    const char *format;
    uint8_t bytes[FORMAT_HEAD_BYTES];
};

static int read_from_head(void *opaque, void *buf, size_t len, uint64_t offset,
                          struct error *err)
{
    const struct head *head = opaque;

    if (offset > FORMAT_HEAD_BYTES || len > FORMAT_HEAD_BYTES - offset)
        return error_set(err, ERROR_FORMAT, 0,
                         "%s: its header is longer than the %u bytes of a "
                         "stream that are examined; put it into a file",
                         head->format, FORMAT_HEAD_BYTES);
    memcpy(buf, head->bytes + offset, len);
    return 0;
}

/* A disk with a map is read at any offset: it cannot come through a pipe, and
 * its stream must have been measured. */
static int check_order(const struct opening *opening, struct error *err)
{
    const struct image_options *options = opening->options;
    const char *title = opening_format(opening)->title;

    if (!has_header(opening))
        return 0;
    if (opening->container.pipe && !options->scratch_dir)
        return error_set(err, ERROR_FORMAT, 0,
                         "%s: the map of a %s is not known before all of it "
                         "has come through the pipe, and there is no scratch "
                         "space; put it into a file, or give scratch space",
                         options->path, title);
    if (opening->container.compression != IMAGE_COMPRESSION_GZIP ||
        options->stream_bytes == 0)
        return 0;
    return error_set(err, ERROR_USAGE, 0,
                     "%s: a %s has its size in its header: leave the size out",
                     options->path, title);
}

/* Decides whether an image with this head is read as it comes. */
static int choose_order(struct opening *opening, struct head *head, size_t len,
                        struct error *err)
{
    const struct image_options *options = opening->options;
    const struct format *format = opening_format(opening);
    struct format_header *header = &opening->layer.header;
    struct image_host host = {
        .read = read_from_head,
        .opaque = head,
        /* Only an end within the head is known. */
        .size_bytes = len < FORMAT_HEAD_BYTES ? len : INT64_MAX,
    };

    head->format = format->name;
    if (format->describe(&host, header, err) < 0)
        return -1;
    if (opening->container.pipe && header->backing_name)
        return error_set(err, ERROR_FORMAT, 0,
                         "%s: backing file (%.200s) is needed, which an image "
                         "from a pipe cannot have; flatten it with qemu-img "
                         "convert",
                         format->name, header->backing_name);
    if (options->stream_bytes > 0 &&
        options->stream_bytes != header->virtual_bytes)
        return error_set(err, ERROR_USAGE, 0,
                         "a %s has its size in its header, %" PRIu64
                         " bytes and not %" PRIu64 ": leave the size out",
                         format->title, header->virtual_bytes,
                         options->stream_bytes);
    opening->in_order = !header->backing_name;
    if (!opening->in_order)
        free(TAKE_PTR(header->own));
    return 0;
}

static int look_at_head(struct opening *opening, struct head *head,
                        struct error *err)
{
    size_t len = FORMAT_HEAD_BYTES;
    struct probe probe;

    if (container_read_head(&opening->container, head->bytes, &len, err) < 0)
        return error_wrap(err, "%s", opening->options->path);
    if (opening->format == CW_FORMAT_AUTO) {
        probe = probe_content(head->bytes, len, NULL, 0);
        if (take_guess(opening, &probe, err) < 0)
            return -1;
    }
    if (!opening->options->takes_any_order ||
        !opening_format(opening)->open_in_order)
        return check_order(opening, err);
    if (choose_order(opening, head, len, err) < 0)
        return error_wrap(err, "%s", opening->options->path);
    return 0;
}

/* What is inside decides whether it is measured first or read as it comes. */
static int look_inside(struct opening *opening, struct error *err)
{
    const struct image_options *options = opening->options;
    AUTO_FREE struct head *head = NULL;

    if (options->like) {
        opening->in_order = image_has_order(options->like);
        return 0;
    }
    if (opening->format == CW_FORMAT_RAW ||
        (!opening->container.pipe &&
         (opening->container.compression == IMAGE_COMPRESSION_NONE ||
          !options->takes_any_order)))
        return 0;
    head = calloc(1, sizeof(*head));
    if (!head)
        return error_set(err, ERROR_SYSTEM, ENOMEM, "open");
    return look_at_head(opening, head, err);
}

/* ---- the stream ---- */

/* Decodes a pipe to scratch space that is not read as it comes.  A raw disk of
 * unknown size is examined again there: its end may tell another format. */
static int spool_if_needed(struct opening *opening, struct error *err)
{
    const struct image_options *options = opening->options;

    if (!opening->container.pipe || options->like || opening->in_order ||
        !options->scratch_dir)
        return 0;
    if (!has_header(opening) &&
        (options->takes_any_size || options->stream_bytes > 0))
        return 0;
    if (!has_header(opening))
        opening->format = options->format;
    return container_spool(&opening->container, err);
}

/* AUTO: the format of the content, if it is supported. */
static int choose_format(struct opening *opening, struct error *err)
{
    struct probe probe = { 0 };

    if (opening->in_order)
        return 0;
    if (opening->format != CW_FORMAT_AUTO)
        return check_order(opening, err);
    if ((opening->layer.stream
             ? probe_stream(opening, &probe, err)
             : container_probe(&opening->container, &probe, err)) < 0)
        return -1;
    return take_guess(opening, &probe, err) < 0 ? -1
                                                : check_order(opening, err);
}

/* ---- the image ---- */

/* NOLINTBEGIN(misc-no-recursion): as deep as a chain of layers may be */

static int open_layer(const struct image_options *options,
                      const char *real_path, unsigned depth, struct image **img,
                      struct error *err);

static int open_backing(struct opening *opening, struct error *err)
{
    struct layer *layer = &opening->layer;
    struct image_options below;
    char real_path[64];
    AUTO_FD int fd = backing_open(opening->options, &layer->header,
                                  opening->depth, &below, &layer->backing_path,
                                  err);

    if (fd < 0)
        return error_wrap(err, "%s", opening_format(opening)->name);
    /* The descriptor is opened again: the name is not looked up twice. */
    snprintf(real_path, sizeof(real_path), "/proc/self/fd/%d", fd);
    return open_layer(&below, real_path, opening->depth + 1, &layer->backing,
                      err);
}

/* Reads the header, and opens the backing file that it names. */
static int describe(struct opening *opening, struct error *err)
{
    struct layer *layer = &opening->layer;
    struct image_host host = image_host_of(&layer->file, layer->stream);

    if (opening_format(opening)->describe(&host, &layer->header, err) < 0)
        return error_wrap(err, "%s", opening->options->path);
    if (!layer->header.backing_name || open_backing(opening, err) == 0)
        return 0;
    /* With many layers, the error names the first and the bad one. */
    return opening->depth > 0 ? -1
                              : error_wrap(err, "%s", opening->options->path);
}

/* Makes the image from the opened parts. */
static int open_format(struct opening *opening, struct image **img,
                       struct error *err)
{
    const struct format *format = opening_format(opening);
    struct layer *layer = &opening->layer;
    uint64_t container_bytes = opening->container.file.size_bytes;

    layer->file = file_take(&opening->container.file);
    if (opening->in_order) {
        if (format->open_in_order(layer, img, err) < 0)
            return -1;
        (*img)->host_bytes = container_bytes;
        return 0;
    }
    if (has_header(opening) && describe(opening, err) < 0)
        return -1;
    if (!has_header(opening) && layer->stream)
        return raw_stream_open(layer, img, err);
    return format->open(layer, img, err);
}

/* What a guest sees of a raw disk that ends inside a sector. */
static void pad(struct image *img, bool logs)
{
    uint64_t size_bytes = img->virtual_bytes;

    if (size_bytes == IMAGE_SIZE_UNKNOWN)
        return;
    img->padding_bytes = chunk_grid_padding(size_bytes);
    img->virtual_bytes += img->padding_bytes;
    if (logs && img->padding_bytes > 0)
        log_info("%s: its %" PRIu64 " bytes end inside a sector: padded with "
                 "%" PRIu64 " zeros to %" PRIu64 " bytes",
                 img->path, size_bytes, img->padding_bytes, img->virtual_bytes);
}

/* NULL: there is none. */
static const char *compression_name(enum image_compression id)
{
    const struct compression *c = compressions;

    while (c->name && c->id != id)
        c++;
    return c->name;
}

/* "qcow2", "raw in gzip", "vmdk in xz in gzip". */
static void name_format(const struct opening *opening, struct image *img)
{
    const char *inner = compression_name(opening->inner);
    const char *outer = compression_name(opening->outer);

    snprintf(img->format_text, sizeof(img->format_text), "%s%s%s%s%s",
             opening_format(opening)->name, inner ? " in " : "",
             inner ? inner : "", outer ? " in " : "", outer ? outer : "");
}

static int open_steps(struct opening *opening, const char *real_path,
                      struct image **img, struct error *err)
{
    const struct image_options *options = opening->options;

    opening->format = options->like ? options->like->format : options->format;
    if (container_open(&opening->container, real_path, err) < 0 ||
        choose_compression(opening, err) < 0 || look_deeper(opening, err) < 0)
        return -1;
    opening->inner = opening->container.compression;
    if (look_inside(opening, err) < 0 || spool_if_needed(opening, err) < 0 ||
        container_open_stream(&opening->container, opening->in_order,
                              &opening->layer.stream, err) < 0 ||
        choose_format(opening, err) < 0 || open_format(opening, img, err) < 0)
        return -1;
    (*img)->format = opening->format;
    (*img)->compression = opening->container.compression;
    name_format(opening, *img);
    if (!options->like)
        (*img)->pipe = TAKE_PTR(opening->container.pipe);
    (*img)->spool = TAKE_PTR(opening->container.spool);
    (*img)->spool_bytes = opening->container.spool_bytes;
    pad(*img, !options->like);
    (*img)->guard = TAKE_PTR(opening->container.guard);
    if (image_check_like(options, *img, err) == 0)
        return 0;
    image_close(*img);
    return -1;
}

static int open_layer(const struct image_options *options,
                      const char *real_path, unsigned depth, struct image **img,
                      struct error *err)
{
    struct opening opening = {
        .options = options,
        .depth = depth,
        .container = { .options = options, .file = FILE_CLOSED },
        .layer = { .options = options, .file = FILE_CLOSED },
    };
    int r = open_steps(&opening, real_path, img, err);

    if (r < 0)
        *img = NULL;
    opening_fini(&opening);
    return r;
}

/* NOLINTEND(misc-no-recursion) */

int image_open(const struct image_options *options, struct image **img,
               struct error *err)
{
    if (nbd_is_uri(options->path))
        return nbd_image_open(options, img, err);
    if (tree_image_is(options))
        return tree_image_open(options, img, err);
    return open_layer(options, options->path, 0, img, err);
}
