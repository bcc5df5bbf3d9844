#include "resume/source_identity.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "image/image_identity.h"
#include "plan/chunk_grid.h"

#define SAMPLES 16U

/*
 * Made of the image (inode, path, size) and the target.  The times of the image
 * are left out: digests find a changed image, chunk by chunk.
 */
void source_name_job(const struct cw_source_options *options,
                     const struct addr *target, uint64_t virtual_bytes,
                     char name[MESSAGE_JOB_BYTES])
{
    AUTO_FREE char *path = realpath(options->image, NULL);
    uint8_t sum[DIGEST_CHECKSUM_BYTES];
    char text[PATH_MAX + 512];
    struct stat st = { 0 };
    size_t len;

    if (options->job_id) {
        snprintf(name, MESSAGE_JOB_BYTES, "%s", options->job_id);
        return;
    }
    if (stat(options->image, &st) < 0 || S_ISBLK(st.st_mode))
        st.st_ino = 0; /* of /dev, which is made again at each boot */
    len = (size_t)snprintf(text, sizeof(text), "%llu %" PRIu64 " %s:%s %s",
                           (unsigned long long)st.st_ino, virtual_bytes,
                           target->host, target->port,
                           path ? path : options->image);
    digest_checksum(text, len < sizeof(text) ? len : sizeof(text), sum);
    for (size_t i = 0; i < sizeof(sum); i++)
        snprintf(name + 2 * i, 3, "%02x", sum[i]);
}

bool source_identify(const struct image *image,
                     uint8_t identity[MESSAGE_IDENTITY_BYTES])
{
    char text[IMAGE_IDENTITY_BYTES];

    if (!image_identify(image, text))
        return false;
    digest_checksum(text, strlen(text), identity);
    return true;
}

_Static_assert(MESSAGE_IDENTITY_BYTES == DIGEST_CHECKSUM_BYTES, "it fits");

static uint64_t random_below(uint64_t limit)
{
    uint64_t value = 0;

    if (getrandom(&value, sizeof(value), GRND_NONBLOCK) < 0)
        return 0;
    return value % limit;
}

/* Chooses a chunk in each of SAMPLES parts of the disk.  Returns how many. */
static size_t choose_samples(uint64_t virtual_bytes, uint64_t samples[SAMPLES])
{
    uint64_t chunks = chunk_grid_count(virtual_bytes);
    uint64_t part = chunks / SAMPLES + (chunks % SAMPLES != 0);
    size_t count = 0;

    for (uint64_t at = 0; at < chunks; at += part)
        samples[count++] = at + random_below(chunks - at < part ? chunks - at
                                                                : part);
    return count;
}

/* As choose_samples(), from set; a part may have no chunk in it. */
static size_t choose_from(const struct chunk_bitmap *set,
                          uint64_t samples[SAMPLES])
{
    uint64_t part = set->chunks / SAMPLES + (set->chunks % SAMPLES != 0);
    uint64_t chunk, n;
    size_t count = 0;

    for (uint64_t at = 0; at < set->chunks; at += part) {
        if (!chunk_bitmap_next(set, at + random_below(part), &chunk, &n) ||
            chunk >= at + part)
            if (!chunk_bitmap_next(set, at, &chunk, &n) || chunk >= at + part)
                continue;
        samples[count++] = chunk;
    }
    return count;
}

/* Reads the samples again.  1: their digests are those in table; 0: that of
 * *chunk is not; -1: they cannot be read. */
static int compare_samples(const struct disk_scan *scan,
                           const uint64_t *samples, size_t count,
                           const struct digest *table, uint64_t *chunk,
                           struct error *err)
{
    struct disk_scan sampling = *scan;
    struct digest *again;
    int r = 1;

    sampling.chosen = samples;
    sampling.chosen_count = count;
    if (digest_open(digest_algorithm(table), scan->virtual_bytes, &again, err) <
        0)
        return -1;
    if (disk_scan_run(&sampling, again, err) < 0)
        r = error_wrap(err, "read again");
    for (size_t i = 0; r > 0 && i < count; i++) {
        *chunk = samples[i];
        r = digest_agrees(again, table, samples[i]);
    }
    digest_close(again);
    return r;
}

int source_check_announced(const struct disk_scan *scan,
                           const struct chunk_bitmap *announced,
                           const struct digest *table, struct error *err)
{
    uint64_t samples[SAMPLES], chunk;
    size_t count = choose_from(announced, samples);

    return compare_samples(scan, samples, count, table, &chunk, err);
}

bool source_can_sample(const struct image *image)
{
    return !image->is_sequential && !image->stream && !image->pipe;
}

int source_check_same(const struct disk_scan *scan, const struct digest *digest,
                      struct error *err)
{
    const struct image *image = scan->image.like;
    uint64_t samples[SAMPLES], chunk;
    size_t count;
    int r;

    if (image && image_check_same(image, err) < 0)
        return -1;
    if (!image || !source_can_sample(image))
        return 0;
    count = choose_samples(scan->virtual_bytes, samples);
    r = compare_samples(scan, samples, count, digest, &chunk, err);
    if (r != 0)
        return r < 0 ? -1 : 0;
    return error_set_at(err, ERROR_CHANGED, 0, chunk * CHUNK_BYTES,
                        "%s was written to while it was read, at %" PRIu64
                        " and perhaps elsewhere",
                        scan->image.path, chunk * CHUNK_BYTES);
}

void source_note_mixture(const struct image *image, const uint8_t *identity,
                         struct progress *progress)
{
    uint8_t now[MESSAGE_IDENTITY_BYTES];

    if (identity && source_identify(image, now) &&
        memcmp(now, identity, sizeof(now)) == 0)
        return;
    atomic_store(&progress->is_mixed, 1);
    log_warn("the image may have changed while it was read: the copy is not of "
             "one moment");
}
