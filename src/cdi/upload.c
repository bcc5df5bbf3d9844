#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/parse.h"
#include "cdi/upload_private.h"
#include "http/multipart.h"
#include "image/probe.h"
#include "image/stream/stream.h"
#include "plan/chunk_grid.h"
#include "transfer/readback.h"

/* The encoding of the body, from x-cdi-content-type. */
enum content {
    CONTENT_IMAGE,
    CONTENT_BLOCK_CLONE,
    CONTENT_FILE_CLONE,
    CONTENT_ARCHIVE
};

static enum content content_of(const struct request *from)
{
    const char *type = from->head.cdi_content_type;

    if (strcmp(type, "blockdevice-clone") == 0)
        return CONTENT_BLOCK_CLONE;
    if (strcmp(type, "filesystem-clone") == 0)
        return CONTENT_FILE_CLONE;
    return from->route->flags & UPLOAD_ROUTE_ARCHIVE ? CONTENT_ARCHIVE
                                                     : CONTENT_IMAGE;
}

/* ---- clones ---- */

/* The size of the disk that the client announces, or UPLOAD_SIZE_UNKNOWN. */
static int announced(const struct upload *u, uint64_t *bytes, struct error *err)
{
    const char *text = u->from->head.disk_bytes;

    *bytes = UPLOAD_SIZE_UNKNOWN;
    if (text[0] == '\0' || parse_count(text, bytes))
        return 0;
    return error_set(err, ERROR_PROTOCOL, 0,
                     "x-clonewire-disk-bytes: \"%.40s\" is not a number", text);
}

static int receive_block_clone(struct upload *u,
                               const struct piece_source *body,
                               struct error *err)
{
    AUTO_FREE struct disk_decoder_snappy *snappy = malloc(sizeof(*snappy));
    uint64_t known_bytes;

    if (!snappy)
        return error_set(err, ERROR_SYSTEM, ENOMEM, "unpack");
    if (announced(u, &known_bytes, err) < 0)
        return -1;
    snprintf(u->format, sizeof(u->format), "raw in snappy");
    disk_decoder_snappy_init(snappy, body);
    return upload_disk(u, &snappy->feed, known_bytes, err);
}

static int receive_file_clone(struct upload *u, const struct piece_source *body,
                              struct error *err)
{
    AUTO_FREE struct disk_decoder_snappy *snappy = malloc(sizeof(*snappy));
    struct piece_source plain;

    if (!snappy)
        return error_set(err, ERROR_SYSTEM, ENOMEM, "unpack");
    disk_decoder_snappy_init(snappy, body);
    plain = disk_decoder_snappy_pieces(snappy);
    snprintf(u->format, sizeof(u->format), "tar in snappy");
    return upload_tar(u, &plain, err);
}

/* ---- images ---- */

static ssize_t read_plain(void *opaque, void *buf, size_t len,
                          struct error *err)
{
    struct disk_decoder_plain *plain = opaque;
    bool is_zero;

    return plain->feed.fill(&plain->feed, buf, len, &is_zero, err);
}

/* Bytes after those that were read are part of the body too. */
static int expect_end(struct disk_decoder_plain *plain, struct error *err)
{
    uint8_t byte;
    bool is_zero;
    ssize_t n = plain->feed.fill(&plain->feed, &byte, 1, &is_zero, err);

    if (n > 0)
        return error_set(err, ERROR_FORMAT, 0,
                         "there is data after the end of the image");
    return (int)n;
}

static int receive_plain(struct upload *u, const struct piece_source *body,
                         uint64_t known_bytes, struct error *err)
{
    struct disk_decoder_plain plain;
    const struct byte_source input = { .read = read_plain, .opaque = &plain };

    disk_decoder_plain_init(&plain, body);
    if (upload_image(u, &input, CW_FORMAT_AUTO, known_bytes, err) < 0)
        return -1;
    return expect_end(&plain, err);
}

/* The size is known if the body announces its length and is not wrapped. */
static uint64_t known_length(const struct upload *u)
{
    const struct http_head *head = &u->from->head;

    if (!head->has_length || (u->from->route->flags & UPLOAD_ROUTE_FORM))
        return UPLOAD_SIZE_UNKNOWN;
    return head->length_bytes;
}

/* ---- archives ---- */

/* A plain tar, or a compressed one. */
struct packed {
    struct stream *stream;
    uint8_t piece[65536];
};

static ssize_t next_of_packed(void *opaque, const void **data,
                              struct error *err)
{
    struct packed *packed = opaque;

    *data = packed->piece;
    return stream_next(packed->stream, packed->piece, sizeof(packed->piece),
                       err);
}

static enum image_compression compression_of(const uint8_t *head, size_t len)
{
    struct probe probe = probe_content(head, len, NULL, 0);

    return probe.kind == PROBE_COMPRESSED ? probe.compression
                                          : IMAGE_COMPRESSION_NONE;
}

static int unpack(struct upload *u, const struct image *image,
                  struct error *err)
{
    AUTO_FREE struct packed *packed = malloc(sizeof(*packed));
    const struct piece_source tar = { .next = next_of_packed,
                                      .opaque = packed };

    if (!packed)
        return error_set(err, ERROR_SYSTEM, ENOMEM, "unpack");
    packed->stream = image->stream;
    snprintf(u->format, sizeof(u->format), "tar");
    return upload_tar(u, &tar, err);
}

static int receive_archive(struct upload *u, const struct piece_source *body,
                           struct error *err)
{
    struct disk_decoder_plain plain;
    const struct byte_source input = { .read = read_plain, .opaque = &plain };
    struct image_options options = {
        .path = "the upload",
        .input = &input,
        .format = CW_FORMAT_RAW,
        .takes_any_order = true,
        .takes_any_size = true,
    };
    struct image *image;
    ssize_t n;
    int r;

    if (u->is_device)
        return error_set(err, ERROR_REFUSED, 0,
                         "an archive of files cannot be unpacked onto a "
                         "block device");
    disk_decoder_plain_init(&plain, body);
    n = disk_decoder_plain_peek(&plain, err);
    if (n < 0)
        return -1;
    options.compression = compression_of(plain.head, (size_t)n);
    if (image_open(&options, &image, err) < 0)
        return -1;
    r = unpack(u, image, err);
    image_close(image);
    return r < 0 ? -1 : expect_end(&plain, err);
}

/* ---- forms ---- */

/* The part of the body named "file". */
struct part {
    struct piece_source body;
    struct multipart form;
    const char *at; /* the rest of the last piece */
    size_t len;
};

static int no_form(const char *why, struct error *err)
{
    return error_set(err, ERROR_PROTOCOL, 0, "multipart/form-data: %s", why);
}

static ssize_t next_of_part(void *opaque, const void **data, struct error *err)
{
    struct part *part = opaque;
    enum multipart_event event = MULTIPART_MORE;

    for (;;) {
        const char *bytes;
        const void *piece;
        size_t used, len;
        ssize_t n;

        if (part->len > 0) {
            event = multipart_feed(&part->form, part->at, part->len, &used,
                                   &bytes, &len);
            part->at += used;
            part->len -= used;
            *data = bytes;
            if (event == MULTIPART_DATA && len > 0)
                return (ssize_t)len;
            if (event == MULTIPART_BROKEN)
                return no_form("damaged", err);
            continue;
        }
        n = part->body.next(part->body.opaque, &piece, err);
        if (n < 0)
            return -1;
        part->at = piece;
        part->len = (size_t)n;
        if (n > 0)
            continue;
        if (part->form.state != MULTIPART_OVER)
            return no_form("the last boundary is missing", err);
        return multipart_has_file(&part->form)
                   ? 0
                   : no_form("no part is named \"file\"", err);
    }
}

static int open_part(struct part *part, const struct upload *u,
                     const struct piece_source *body, struct error *err)
{
    part->body = *body;
    part->len = 0;
    return multipart_init(&part->form, u->from->head.content_type)
               ? 0
               : no_form("not what the header Content-Type says", err);
}

/* ---- the whole upload ---- */

static int receive_content(struct upload *u, enum content content,
                           struct error *err)
{
    struct piece_source body = request_body(u->from);
    struct part part;

    if (u->from->route->flags & UPLOAD_ROUTE_FORM) {
        if (open_part(&part, u, &body, err) < 0)
            return -1;
        body = (struct piece_source){ next_of_part, &part, NULL };
    }
    switch (content) {
    case CONTENT_BLOCK_CLONE: return receive_block_clone(u, &body, err);
    case CONTENT_FILE_CLONE: return receive_file_clone(u, &body, err);
    case CONTENT_ARCHIVE: return receive_archive(u, &body, err);
    case CONTENT_IMAGE: break;
    }
    return receive_plain(u, &body, known_length(u), err);
}

/* Verifies that the disk holds what was written to it. */
static int verify(struct upload *u, struct error *err)
{
    struct readback what = {
        .sink = u->sink,
        .path = u->options->destination,
        .algorithm = DIGEST_XXH3_128,
        .virtual_bytes = u->disk_bytes,
    };

    atomic_store(&u->phase, CW_PHASE_VERIFYING);
    return readback_verify(u->job, &what, err);
}

int upload_receive(struct upload *u, struct error *err)
{
    enum content content = content_of(u->from);

    u->is_clone = content == CONTENT_BLOCK_CLONE ||
                  content == CONTENT_FILE_CLONE;
    log_info("%s: %s of %s", u->from->peer, u->from->route->path,
             u->is_clone ? u->from->head.cdi_content_type
                         : "an image or archive");
    if (u->is_clone && (u->from->route->flags & UPLOAD_ROUTE_ASYNC))
        return error_set(err, ERROR_PROTOCOL, 0, "async clone not supported");
    if (request_continue(u->from, err) < 0 ||
        receive_content(u, content, err) < 0)
        return -1;
    if (!u->from->is_over)
        return error_set(err, ERROR_PROTOCOL, 0,
                         "the body continues after the end of its content");
    if (u->is_tree)
        return 0;
    atomic_store(&u->phase, CW_PHASE_FLUSHING);
    if (sink_finish(u->sink, err) < 0 ||
        (u->options->verify_readback && verify(u, err) < 0))
        return -1;
    return sink_commit(u->sink, err);
}

void upload_refuse(struct upload *u, const struct error *err)
{
    bool is_full = err->kind == ERROR_NO_SPACE;
    char text[sizeof(err->text) + 128];

    snprintf(text, sizeof(text), "Saving stream failed: %s%s",
             is_full ? ERROR_NO_SPACE_CDI ": " : "", err->text);
    request_answer(u->from, is_full ? HTTP_BAD : HTTP_FAILED, HTTP_TEXT, text);
}
