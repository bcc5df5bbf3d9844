#include "flow/upload.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/parse.h"
#include "flow/feed.h"
#include "flow/fill.h"
#include "flow/local_lane.h"
#include "image/image.h"
#include "image/input.h"
#include "image/probe.h"
#include "image/stream.h"
#include "plan/grid.h"
#include "plan/size.h"
#include "tree/unpack.h"

#define DISK_NAME   "disk.img" /* what a disk on a volume of files is called */
#define LEAST_BYTES 512U       /* a sector: nothing smaller is a disk */

/* How the body is packed, by x-cdi-content-type. */
enum content {
    CONTENT_IMAGE,
    CONTENT_BLOCK_CLONE,
    CONTENT_FILE_CLONE,
    CONTENT_ARCHIVE
};

static enum content content_of(const struct gate_upload *from)
{
    const char *type = from->request->head.cdi_content_type;

    if (strcmp(type, "blockdevice-clone") == 0)
        return CONTENT_BLOCK_CLONE;
    if (strcmp(type, "filesystem-clone") == 0)
        return CONTENT_FILE_CLONE;
    return from->path->is_archive ? CONTENT_ARCHIVE : CONTENT_IMAGE;
}

static ssize_t next_of_body(void *opaque, const void **data, struct error *err)
{
    return request_piece(opaque, data, err);
}

/* ---- room ---- */

static int no_room(uint64_t disk_bytes, uint64_t most_bytes, struct error *err)
{
    return error_set(err, ERROR_NO_SPACE, 0,
                     "virtual image size %" PRIu64
                     " is larger than the reported available storage %" PRIu64
                     ". A larger PVC is required",
                     disk_bytes, most_bytes);
}

/* The size that a disk is grown to, on a volume that offers so much. */
static uint64_t size_to_grow_to(const struct upload *u, uint64_t offered_bytes)
{
    if (u->is_device || u->volume_bytes == 0)
        return 0;
    if (offered_bytes > u->volume_bytes)
        offered_bytes = u->volume_bytes;
    return size_usable(offered_bytes, u->fs_overhead_ppm);
}

/* An upload, other than a clone, is held to the size of the volume that was
 * asked for, even where that is on something larger. */
static void limit(const struct upload *u, uint64_t *most_bytes)
{
    if (!u->is_clone && !u->is_device && u->volume_bytes > 0 &&
        u->volume_bytes < *most_bytes)
        *most_bytes = u->volume_bytes;
}

/* What the client says of the size of the disk; UINT64_MAX: nothing. */
static int announced(const struct upload *u, uint64_t *bytes, struct error *err)
{
    const char *text = u->from.request->head.disk_bytes;

    *bytes = UINT64_MAX;
    if (text[0] == '\0' || parse_count(text, bytes))
        return 0;
    return error_set(err, ERROR_PROTOCOL, 0,
                     "x-clonewire-disk-bytes: \"%.40s\" is no number", text);
}

/* ---- a disk that comes in order ---- */

static int open_digest(struct upload *u, uint64_t bytes, struct error *err)
{
    digest_close(TAKE_PTR(u->job->digest));
    return digest_open(DIGEST_XXH3_128, bytes, &u->job->digest, err);
}

/*
 * known_bytes: the size of the disk, where something has told it already;
 * UINT64_MAX: not known.
 */
static int receive_disk(struct upload *u, struct feed *feed,
                        uint64_t known_bytes, struct error *err)
{
    uint64_t most_bytes, least_bytes;

    if (sink_available(u->sink, &most_bytes, err) < 0)
        return -1;
    limit(u, &most_bytes);
    if (known_bytes != UINT64_MAX && known_bytes > most_bytes)
        return no_room(known_bytes, most_bytes, err);
    least_bytes = size_to_grow_to(u, most_bytes);
    if (sink_prepare_stream(u->sink, least_bytes, &most_bytes, err) < 0)
        return -1;
    limit(u, &most_bytes);
    if (open_digest(u, most_bytes, err) < 0)
        return -1;
    u->job->total_bytes = known_bytes != UINT64_MAX ? known_bytes : 0;
    u->job->lanes = 1;
    job_enter(u->job, CW_PHASE_COPYING);
    if (fill_run(u->job, u->sink, feed, most_bytes, &u->disk_bytes, err) < 0)
        return -1;
    if (known_bytes != UINT64_MAX && u->disk_bytes != known_bytes)
        return error_set(err, ERROR_PROTOCOL, 0,
                         "%" PRIu64 " bytes of disk have come, not the %" PRIu64
                         " that were announced",
                         u->disk_bytes, known_bytes);
    if (u->disk_bytes < LEAST_BYTES)
        return error_set(err, ERROR_FORMAT, 0,
                         "could not process image header: unexpected EOF: "
                         "%" PRIu64 " bytes are no disk",
                         u->disk_bytes);
    return sink_settle(u->sink, u->disk_bytes, least_bytes, err);
}

/* ---- blockdevice-clone ---- */

static int receive_block_clone(struct upload *u, const struct pieces *body,
                               struct error *err)
{
    AUTO_FREE struct feed_snappy *snappy = malloc(sizeof(*snappy));
    uint64_t known_bytes;

    if (!snappy)
        return error_set(err, ERROR_SYSTEM, ENOMEM, "unpack");
    if (announced(u, &known_bytes, err) < 0)
        return -1;
    snprintf(u->format, sizeof(u->format), "raw in snappy");
    feed_snappy_init(snappy, body);
    return receive_disk(u, &snappy->feed, known_bytes, err);
}

/* ---- an image, whatever its format ---- */

struct feed_image {
    struct feed feed; /* first */
    struct stream *stream;
};

static ssize_t image_fill(struct feed *feed, uint8_t *buf, size_t len,
                          bool *is_zero, struct error *err)
{
    struct feed_image *f = (struct feed_image *)feed;
    size_t done = 0;

    *is_zero = false;
    while (done < len) {
        ssize_t n = stream_next(f->stream, buf + done, len - done, err);

        if (n < 0)
            return -1;
        if (n == 0)
            break;
        done += (size_t)n;
    }
    return (ssize_t)done;
}

/* One whose size is in its header, and whose chunks come as they lie. */
static int receive_sized(struct upload *u, const struct image_options *options,
                         const struct image *image, struct error *err)
{
    struct local_plan plan = { .job = u->job,
                               .sink = u->sink,
                               .image = *options,
                               .virtual_bytes = image->virtual_bytes };
    struct local_lane lane = { 0 };
    uint64_t most_bytes, least_bytes;

    plan.image.like = image;
    u->disk_bytes = u->job->total_bytes = image->virtual_bytes;
    if (sink_available(u->sink, &most_bytes, err) < 0)
        return -1;
    limit(u, &most_bytes);
    if (u->disk_bytes > most_bytes)
        return no_room(u->disk_bytes, most_bytes, err);
    least_bytes = size_to_grow_to(u, most_bytes);
    if (sink_prepare_stream(
            u->sink, least_bytes > u->disk_bytes ? least_bytes : u->disk_bytes,
            &most_bytes, err) < 0 ||
        open_digest(u, u->disk_bytes, err) < 0)
        return -1;
    u->job->lanes = 1;
    job_enter(u->job, CW_PHASE_COPYING);
    cursor_init(&plan.cursor, grid_count(plan.virtual_bytes), 1, 1);
    if (local_lane_start(&lane, &plan, 0, err) < 0)
        return -1;
    lane_join(&lane.lane);
    if (job_first_error(u->job, err))
        return -1;
    return sink_settle(u->sink, u->disk_bytes, least_bytes, err);
}

static ssize_t read_plain(void *opaque, void *buf, size_t len,
                          struct error *err)
{
    struct feed_plain *plain = opaque;
    bool is_zero;

    return plain->feed.fill(&plain->feed, buf, len, &is_zero, err);
}

/* Whatever follows what was read is part of the body, too. */
static int expect_end(struct feed_plain *plain, struct error *err)
{
    uint8_t byte;
    bool is_zero;
    ssize_t n = plain->feed.fill(&plain->feed, &byte, 1, &is_zero, err);

    if (n > 0)
        return error_set(err, ERROR_FORMAT, 0,
                         "something stands behind the end of the image");
    return (int)n;
}

static int receive_image(struct upload *u, const struct image_input *input,
                         enum image_format format, uint64_t known_bytes,
                         struct error *err)
{
    const struct image_options options = {
        .path = "the upload",
        .input = input,
        .format = format,
        .mode = (enum file_mode)u->job->tuning.io_mode,
        .takes_any_order = true,
        .takes_any_size = true,
    };
    struct feed_image feed = { .feed.fill = image_fill };
    struct image *image;
    int r;

    if (image_open(&options, &image, err) < 0)
        return -1;
    snprintf(u->format, sizeof(u->format), "%s", image_format_text(image));
    feed.stream = image->stream;
    if (image->virtual_bytes != IMAGE_SIZE_UNKNOWN) {
        r = receive_sized(u, &options, image, err);
    } else {
        if (image->compression != IMAGE_COMPRESSION_NONE)
            known_bytes = UINT64_MAX; /* that was the packed one */
        r = receive_disk(u, &feed.feed, known_bytes, err);
    }
    image_close(image);
    return r;
}

static int receive_plain(struct upload *u, const struct pieces *body,
                         uint64_t known_bytes, struct error *err)
{
    struct feed_plain plain;
    const struct image_input input = { read_plain, &plain };

    feed_plain_init(&plain, body);
    if (receive_image(u, &input, IMAGE_FORMAT_AUTO, known_bytes, err) < 0)
        return -1;
    return expect_end(&plain, err);
}

/* A body that says how long it is, and is not wrapped, is known. */
static uint64_t known_length(const struct upload *u)
{
    const struct http_head *head = &u->from.request->head;

    if (!head->has_length || u->from.path->is_form)
        return UINT64_MAX;
    return head->length_bytes;
}

/* ---- filesystem-clone and archives ---- */

struct feed_tar {
    struct feed feed; /* first */
    struct tree_reader *reader;
    uint64_t size_bytes;
    uint64_t at;
    const uint8_t *data; /* the piece at offset, as far as not given out */
    size_t len;
    uint64_t offset;
    bool is_over;
};

/* Makes sure of a piece that ends behind at, or of the end. */
static int next_run(struct feed_tar *f, struct error *err)
{
    const void *data;
    int r;

    if (f->len > 0 || f->is_over)
        return 0;
    r = tree_reader_data(f->reader, &data, &f->len, &f->offset, err);
    if (r < 0)
        return -1;
    f->is_over = r == 0;
    f->data = data;
    if (f->is_over)
        f->len = 0;
    return 0;
}

static ssize_t tar_fill(struct feed *feed, uint8_t *buf, size_t len,
                        bool *is_zero, struct error *err)
{
    struct feed_tar *f = (struct feed_tar *)feed;
    uint64_t left = f->size_bytes - f->at;
    size_t done = 0;

    if (len > left)
        len = (size_t)left;
    *is_zero = len > 0;
    while (done < len) {
        uint64_t hole;
        size_t n = len - done;

        if (next_run(f, err) < 0)
            return -1;
        hole = f->is_over ? UINT64_MAX : f->offset - f->at;
        if (hole > 0) {
            n = n < hole ? n : (size_t)hole;
            if (!*is_zero)
                memset(buf + done, 0, n);
        } else {
            if (*is_zero)
                memset(buf, 0, done);
            *is_zero = false;
            n = n < f->len ? n : f->len;
            memcpy(buf + done, f->data, n);
            f->data += n;
            f->len -= n;
            f->offset += n;
        }
        done += n;
        f->at += n;
    }
    return (ssize_t)done;
}

static ssize_t read_tar(void *opaque, void *buf, size_t len, struct error *err)
{
    struct feed_tar *feed = opaque;
    bool is_zero;
    ssize_t n = tar_fill(&feed->feed, buf, len, &is_zero, err);

    if (n > 0 && is_zero)
        memset(buf, 0, (size_t)n);
    return n;
}

/* By its first bytes, which the stream holds if they are not zero. */
static bool looks_like_qcow2(const struct feed_tar *feed)
{
    return feed->offset == 0 &&
           probe_content(feed->data, feed->len, NULL, 0).kind == PROBE_QCOW2;
}

/* A disk is a raw one, but nobody wants the bytes of a QCOW2 on a device. */
static int receive_entry(struct upload *u, struct feed_tar *feed,
                         struct error *err)
{
    const struct image_input input = { read_tar, feed };

    if (next_run(feed, err) < 0)
        return -1;
    if (looks_like_qcow2(feed))
        return receive_image(u, &input, IMAGE_FORMAT_QCOW2, UINT64_MAX, err);
    return receive_disk(u, &feed->feed, feed->size_bytes, err);
}

/* The disk image that a tree holds, written to a device. */
static int receive_disk_of_tree(struct upload *u, const struct tree_input *tar,
                                struct error *err)
{
    struct feed_tar feed = { .feed.fill = tar_fill };
    struct tree_entry entry;
    int r;

    if (tree_reader_open(tar, &feed.reader, err) < 0)
        return -1;
    r = tree_reader_find(feed.reader, DISK_NAME, &entry, err);
    if (r == 0)
        r = error_set(err, ERROR_FORMAT, 0,
                      "no disk image found in tar: there is no " DISK_NAME);
    if (r > 0) {
        feed.size_bytes = entry.size_bytes;
        r = receive_entry(u, &feed, err);
    }
    if (r == 0)
        r = tree_reader_finish(feed.reader, err);
    tree_reader_close(feed.reader);
    return r < 0 ? -1 : 0;
}

/* "/data" of "/data/disk.img". */
static char *directory_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    if (!slash)
        return strdup(".");
    return strndup(path, slash == path ? 1 : (size_t)(slash - path));
}

static int receive_tree(struct upload *u, const struct tree_input *tar,
                        struct error *err)
{
    AUTO_FREE char *directory = directory_of(u->destination);
    struct unpack_options options = {
        .directory = directory,
        .input = *tar,
        .preallocate = u->preallocate,
        .written_bytes = &u->job->progress.data_bytes,
    };
    struct unpack_report report;

    if (!directory)
        return error_set(err, ERROR_SYSTEM, ENOMEM, "unpack");
    if (u->is_device)
        return error_set(err, ERROR_REFUSED, 0,
                         "an archive of files cannot be unpacked onto a "
                         "block device");
    sink_discard(u->sink); /* what a killed upload of a disk has left */
    if (open_digest(u, 0, err) < 0)
        return -1;
    job_enter(u->job, CW_PHASE_COPYING);
    u->is_tree = true;
    if (unpack_tree(&options, &report, err) < 0)
        return -1;
    u->is_tree_preallocated = report.is_preallocated;
    u->disk_bytes = report.content_bytes;
    return 0;
}

static int receive_file_clone(struct upload *u, const struct pieces *body,
                              struct error *err)
{
    AUTO_FREE struct feed_snappy *snappy = malloc(sizeof(*snappy));
    struct tree_input tar;
    struct pieces plain;

    if (!snappy)
        return error_set(err, ERROR_SYSTEM, ENOMEM, "unpack");
    feed_snappy_init(snappy, body);
    plain = feed_snappy_pieces(snappy);
    tar = (struct tree_input){ plain.next, plain.opaque };
    snprintf(u->format, sizeof(u->format), "tar in snappy");
    return u->is_device ? receive_disk_of_tree(u, &tar, err)
                        : receive_tree(u, &tar, err);
}

static int receive_archive(struct upload *u, const struct pieces *body,
                           struct error *err)
{
    const struct tree_input tar = { body->next, body->opaque };

    snprintf(u->format, sizeof(u->format), "tar");
    return receive_tree(u, &tar, err);
}

/* ---- all of it ---- */

static int receive_content(struct upload *u, enum content content,
                           struct error *err)
{
    const struct pieces body = { next_of_body, u->from.request };

    switch (content) {
    case CONTENT_BLOCK_CLONE: return receive_block_clone(u, &body, err);
    case CONTENT_FILE_CLONE: return receive_file_clone(u, &body, err);
    case CONTENT_ARCHIVE: return receive_archive(u, &body, err);
    case CONTENT_IMAGE: break;
    }
    return receive_plain(u, &body, known_length(u), err);
}

int upload_receive(struct upload *u, struct error *err)
{
    enum content content = content_of(&u->from);

    u->is_clone = content == CONTENT_BLOCK_CLONE ||
                  content == CONTENT_FILE_CLONE;
    log_info("%s: %s of %s", u->from.request->peer, u->from.path->path,
             u->is_clone ? u->from.request->head.cdi_content_type
                         : "an image or archive");
    if (u->is_clone && u->from.path->is_async)
        return error_set(err, ERROR_PROTOCOL, 0, "async clone not supported");
    if (request_invite(u->from.request, err) < 0 ||
        receive_content(u, content, err) < 0)
        return -1;
    if (!u->from.request->is_over)
        return error_set(err, ERROR_PROTOCOL, 0,
                         "the body goes on behind the end of what it holds");
    if (u->is_tree)
        return 0;
    job_enter(u->job, CW_PHASE_FLUSHING);
    if (sink_finish(u->sink, err) < 0)
        return -1;
    return sink_commit(u->sink, err);
}

void upload_refuse(struct upload *u, const struct error *err)
{
    bool is_full = err->kind == ERROR_NO_SPACE;
    char text[sizeof(err->text) + 128];

    snprintf(text, sizeof(text), "Saving stream failed: %s%s",
             is_full ? "effective image size is larger than the reported "
                       "available storage: "
                     : "",
             err->text);
    request_answer(u->from.request, is_full ? HTTP_BAD : HTTP_FAILED, text);
}
