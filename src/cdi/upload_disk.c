/* upload_disk.c - checks that an uploaded disk fits, and writes it. */
#include <inttypes.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "cdi/upload_private.h"
#include "image/image.h"
#include "image/probe.h"
#include "image/stream/stream.h"
#include "job/public_types.h"
#include "plan/chunk_grid.h"
#include "plan/sizing.h"
#include "transfer/copy_worker.h"
#include "transfer/stream_writer.h"

#define MIN_BYTES 512U /* a sector: nothing smaller is a disk */

/* ---- space ---- */

static int no_room(uint64_t disk_bytes, uint64_t max_bytes, struct error *err)
{
    return error_set(err, ERROR_NO_SPACE, 0,
                     "virtual image size %" PRIu64
                     " is larger than the reported available storage %" PRIu64
                     ". A larger PVC is required",
                     disk_bytes, max_bytes);
}

static uint64_t whole_sectors(uint64_t bytes)
{
    return bytes + chunk_grid_padding(bytes);
}

/* The size to grow a disk to, on a volume with offered_bytes.  A clone keeps
 * its size on a volume of any size, unless the user wants another. */
static uint64_t size_to_grow_to(const struct upload *u, uint64_t offered_bytes)
{
    uint64_t volume_bytes = u->is_clone ? 0 : u->options->volume_bytes;

    if (u->is_device)
        return 0;
    if (u->options->size_bytes > 0)
        return whole_sectors(u->options->size_bytes);
    if (volume_bytes == 0 && !u->options->size_max)
        return 0;
    if (volume_bytes > 0 && offered_bytes > volume_bytes)
        offered_bytes = volume_bytes;
    return sizing_usable(offered_bytes, u->options->fs_overhead_ppm);
}

/* Limits an upload, but not a clone, to the requested size of the volume, even
 * if the actual volume is larger. */
static void limit(const struct upload *u, uint64_t *max_bytes)
{
    uint64_t volume_bytes = u->options->volume_bytes;

    if (!u->is_clone && !u->is_device && volume_bytes > 0 &&
        whole_sectors(volume_bytes) < *max_bytes)
        *max_bytes = whole_sectors(volume_bytes);
}

/*
 * Prepares the sink for a disk of known_bytes (or UPLOAD_SIZE_UNKNOWN), which
 * is_sized: has that size from its first byte on.  Returns in *max_bytes what
 * may be written, in *min_bytes the size that the disk grows to.
 */
static int make_room(const struct upload *u, uint64_t known_bytes,
                     bool is_sized, uint64_t *max_bytes, uint64_t *min_bytes,
                     struct error *err)
{
    uint64_t free_bytes;

    if (sink_available(u->sink, &free_bytes, err) < 0 ||
        sink_max_bytes(u->sink, max_bytes, err) < 0)
        return -1;
    limit(u, max_bytes);
    if (known_bytes != UPLOAD_SIZE_UNKNOWN && known_bytes > *max_bytes)
        return no_room(known_bytes, *max_bytes, err);
    *min_bytes = size_to_grow_to(u, free_bytes);
    if (*min_bytes > *max_bytes)
        return no_room(*min_bytes, *max_bytes, err);
    if (sink_prepare_stream(u->sink,
                            is_sized && known_bytes > *min_bytes ? known_bytes
                                                                 : *min_bytes,
                            max_bytes, err) < 0)
        return -1;
    limit(u, max_bytes);
    return 0;
}

/* ---- a disk that arrives in order ---- */

int upload_open_digest(struct upload *u, uint64_t bytes, struct error *err)
{
    digest_close(TAKE_PTR(u->job->status.digest));
    return digest_open(DIGEST_XXH3_128, bytes, &u->job->status.digest, err);
}

/* Checks that the received size is as announced and is that of a disk. */
static int check_received(const struct upload *u, uint64_t known_bytes,
                          struct error *err)
{
    uint64_t received_bytes = u->disk_bytes - u->job->status.padding_bytes;

    if (known_bytes != UPLOAD_SIZE_UNKNOWN && received_bytes != known_bytes)
        return error_set(err, ERROR_PROTOCOL, 0,
                         "%" PRIu64 " bytes of disk received, not the %" PRIu64
                         " that were announced",
                         received_bytes, known_bytes);
    if (received_bytes < MIN_BYTES)
        return error_set(err, ERROR_FORMAT, 0,
                         "could not process image header: unexpected EOF: "
                         "%" PRIu64 " bytes are not a disk",
                         received_bytes);
    if (u->job->status.padding_bytes > 0)
        log_info("the %" PRIu64 " bytes received end inside a sector: padded "
                 "with %" PRIu64 " zeros",
                 received_bytes, u->job->status.padding_bytes);
    return 0;
}

int upload_disk(struct upload *u, struct disk_stream *feed,
                uint64_t known_bytes, struct error *err)
{
    uint64_t max_bytes, min_bytes;

    if (make_room(u, known_bytes, false, &max_bytes, &min_bytes, err) < 0)
        return -1;
    if (upload_open_digest(u, max_bytes, err) < 0)
        return -1;
    if (known_bytes != UPLOAD_SIZE_UNKNOWN)
        atomic_store(&u->total_bytes, known_bytes);
    atomic_store(&u->phase, CW_PHASE_COPYING);
    if (stream_writer_run(u->job, u->sink, feed, max_bytes, &u->disk_bytes,
                          err) < 0)
        return -1;
    if (check_received(u, known_bytes, err) < 0)
        return -1;
    return sink_settle(u->sink, u->disk_bytes, min_bytes, err);
}

/* ---- an image of any format ---- */

struct feed_image {
    struct disk_stream feed; /* first */
    struct stream *stream;
    size_t tail_len;
    uint8_t tail[PROBE_TAIL_BYTES]; /* the last bytes received */
};

/* Records the len bytes received at buf. */
static void keep_tail(struct feed_image *f, const uint8_t *buf, size_t len)
{
    size_t kept = 0;

    if (len < sizeof(f->tail)) {
        kept = sizeof(f->tail) - len;
        if (kept > f->tail_len)
            kept = f->tail_len;
        memmove(f->tail, f->tail + f->tail_len - kept, kept);
    } else {
        buf += len - sizeof(f->tail);
        len = sizeof(f->tail);
    }
    memcpy(f->tail + kept, buf, len);
    f->tail_len = kept + len;
}

/* Detects formats that only their end tells from a raw disk.  A fixed VHD is
 * accepted with its footer, as CDI does. */
static int check_tail(const struct feed_image *f, struct error *err)
{
    struct probe probe = probe_content(NULL, 0, f->tail, f->tail_len);

    if (probe.kind != PROBE_FOREIGN)
        return 0;
    return error_set(err, ERROR_FORMAT, 0,
                     "the upload ends like %s, which is not supported; "
                     "convert it",
                     probe.name);
}

static ssize_t image_fill(struct disk_stream *feed, uint8_t *buf, size_t len,
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
    keep_tail(f, buf, done);
    if (done < len && check_tail(f, err) < 0)
        return -1;
    return (ssize_t)done;
}

/* Receives an image that has its size in its header, chunks in stored order. */
static int receive_sized(struct upload *u, const struct image_options *options,
                         const struct image *image, struct error *err)
{
    struct local_plan plan = { .job = u->job,
                               .sink = u->sink,
                               .image = *options,
                               .virtual_bytes = image->virtual_bytes };
    struct copy_worker lane = { 0 };
    uint64_t max_bytes, min_bytes;

    plan.image.like = image;
    u->disk_bytes = image->virtual_bytes;
    atomic_store(&u->total_bytes, u->disk_bytes);
    if (make_room(u, u->disk_bytes, true, &max_bytes, &min_bytes, err) < 0 ||
        upload_open_digest(u, u->disk_bytes, err) < 0)
        return -1;
    atomic_store(&u->phase, CW_PHASE_COPYING);
    work_queue_init(&plan.work, chunk_grid_count(plan.virtual_bytes), 1, 1);
    if (copy_worker_start(&lane, &plan, 0, err) < 0)
        return -1;
    worker_join(&lane.lane);
    if (job_state_first_error(&u->job->state, err))
        return -1;
    return sink_settle(u->sink, u->disk_bytes, min_bytes, err);
}

/*
 * Where an image that is read more than once is kept meanwhile: the server's
 * scratch directory, or else that of the disk.  dir: for the latter.
 */
static void choose_scratch(const struct upload *u, char dir[PATH_MAX],
                           struct image_options *options)
{
    const char *scratch = u->options->scratch_dir;
    struct stat own, disk;

    if (!u->is_device)
        snprintf(dir, PATH_MAX, "%s", u->options->destination);
    dir = dirname(dir);
    if (scratch && access(scratch, W_OK | X_OK) == 0)
        options->scratch_dir = scratch;
    else if (!u->is_device)
        options->scratch_dir = dir;
    options->scratch_has_disk = !u->is_device && options->scratch_dir &&
                                stat(options->scratch_dir, &own) == 0 &&
                                stat(dir, &disk) == 0 &&
                                own.st_dev == disk.st_dev;
}

int upload_image(struct upload *u, const struct byte_source *input,
                 enum cw_format format, uint64_t known_bytes, struct error *err)
{
    struct image_options options = {
        .path = "the upload",
        .input = input,
        .format = format,
        .mode = u->job->tuning.io_mode,
        .takes_any_order = true,
        .takes_any_size = true,
    };
    struct feed_image feed = { .feed.fill = image_fill };
    char dir[PATH_MAX] = "";
    struct image *image;
    int r;

    choose_scratch(u, dir, &options);
    if (image_open(&options, &image, err) < 0)
        return -1;
    snprintf(u->format, sizeof(u->format), "%s", image->format_text);
    feed.stream = image->stream;
    if (image->virtual_bytes != IMAGE_SIZE_UNKNOWN) {
        r = receive_sized(u, &options, image, err);
    } else {
        if (image->compression != IMAGE_COMPRESSION_NONE)
            known_bytes = UPLOAD_SIZE_UNKNOWN; /* compressed */
        r = upload_disk(u, &feed.feed, known_bytes, err);
    }
    image_close(image);
    return r;
}
