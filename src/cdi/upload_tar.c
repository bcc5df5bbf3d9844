/* upload_tar.c - files in a tar stream: all of them into a directory, or the
 * disk among them onto a device. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "cdi/upload_private.h"
#include "image/image.h"
#include "image/probe.h"
#include "plan/sizing.h"
#include "sink/target_path.h"
#include "tar/extract.h"

struct feed_tar {
    struct disk_stream feed; /* first */
    struct tree_reader *reader;
    uint64_t size_bytes;
    uint64_t at;
    const uint8_t *data; /* the rest of the piece, at offset */
    size_t len;
    uint64_t offset;
    bool is_over;
};

/* Fetches a piece that ends after at, unless one is left or the entry ends. */
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

static ssize_t tar_fill(struct disk_stream *feed, uint8_t *buf, size_t len,
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

/* Probes the first bytes, which are in the first piece unless they are zero. */
static bool looks_like_qcow2(const struct feed_tar *feed)
{
    return feed->offset == 0 &&
           probe_content(feed->data, feed->len, NULL, 0).format ==
               CW_FORMAT_QCOW2;
}

/* A disk is raw; a QCOW2 image is converted, not copied to the device. */
static int receive_entry(struct upload *u, struct feed_tar *feed,
                         struct error *err)
{
    const struct byte_source input = { .read = read_tar, .opaque = feed };

    if (next_run(feed, err) < 0)
        return -1;
    if (looks_like_qcow2(feed))
        return upload_image(u, &input, CW_FORMAT_QCOW2, UPLOAD_SIZE_UNKNOWN,
                            err);
    return upload_disk(u, &feed->feed, feed->size_bytes, err);
}

/* Writes the disk image in a tree to a device. */
static int receive_disk_of_tree(struct upload *u,
                                const struct piece_source *tar,
                                struct error *err)
{
    struct feed_tar feed = { .feed.fill = tar_fill };
    struct tree_entry entry;
    int r;

    if (tree_reader_open(tar, &feed.reader, err) < 0)
        return -1;
    r = tree_reader_find(feed.reader, CW_VOLUME_DISK_NAME, &entry, err);
    if (r == 0)
        r = error_set(
            err, ERROR_FORMAT, 0,
            "no disk image found in tar: there is no " CW_VOLUME_DISK_NAME);
    if (r > 0) {
        feed.size_bytes = entry.size_bytes;
        r = receive_entry(u, &feed, err);
    }
    if (r == 0)
        r = tree_reader_finish(feed.reader, err);
    tree_reader_close(feed.reader);
    return r < 0 ? -1 : 0;
}

/* The share of the volume that is left to its filesystem, as for a disk. */
static int keep_overhead(const struct upload *u,
                         struct tar_extract_options *options, struct error *err)
{
    struct volume_space volume;

    if (volume_space(options->directory, &volume, err) < 0)
        return -1;
    options->kept_bytes = sizing_kept(volume.total_bytes,
                                      volume.available_bytes,
                                      u->options->fs_overhead_ppm);
    return 0;
}

/* A directory that is the destination itself, or the one that holds it: a
 * volume's disk has its place in the volume, also where a directory has that
 * name.  Owned by the caller; NULL: out of memory. */
static char *unpack_directory(const struct upload *u)
{
    const char *destination = u->options->destination;
    const char *name = strrchr(destination, '/');

    name = name ? name + 1 : destination;
    return sink_takes_tree(u->sink) && strcmp(name, CW_VOLUME_DISK_NAME) != 0
               ? strdup(destination)
               : target_path_directory(destination);
}

static int receive_tree(struct upload *u, const struct piece_source *tar,
                        struct error *err)
{
    AUTO_FREE char *directory = unpack_directory(u);
    struct tar_extract_options options = {
        .directory = directory,
        .input = *tar,
        .preallocate = u->options->preallocate != CW_PREALLOCATE_OFF,
        .keep_setid = u->options->keep_setid,
        .written_bytes = &u->job->status.progress.data_bytes,
    };
    struct tar_extract_report report;

    if (!directory)
        return error_set(err, ERROR_SYSTEM, ENOMEM, "unpack");
    if (!u->options->overwrite)
        return error_set(err, ERROR_REFUSED, 0,
                         "files may replace others in %s, which only "
                         "--overwrite allows",
                         directory);
    sink_discard(u->sink); /* left by a killed upload of a disk */
    if (keep_overhead(u, &options, err) < 0 ||
        upload_open_digest(u, 0, err) < 0)
        return -1;
    atomic_store(&u->phase, CW_PHASE_COPYING);
    u->is_tree = true;
    if (tar_extract_tree(&options, &report, err) < 0)
        return -1;
    u->is_tree_preallocated = report.is_preallocated;
    u->disk_bytes = report.content_bytes;
    return 0;
}

int upload_tar(struct upload *u, const struct piece_source *tar,
               struct error *err)
{
    return u->is_device ? receive_disk_of_tree(u, tar, err)
                        : receive_tree(u, tar, err);
}
