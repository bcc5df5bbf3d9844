#include "resume/source_identity.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "image/image_identity.h"
#include "plan/chunk_grid.h"

#define SAMPLES 16U

/*
 * The image, where it lies and what file it is, and whom we call.  Not its
 * time: a changed image is found by its digests, chunk by chunk.
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
        st.st_ino = 0; /* of /dev, which is made anew at each boot */
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

/* One in each of SAMPLES parts of the disk.  Returns how many. */
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

/* As choose_samples(), of the chunks told: some parts may have none. */
static size_t choose_told(const struct chunk_bitmap *told,
                          uint64_t samples[SAMPLES])
{
    uint64_t part = told->chunks / SAMPLES + (told->chunks % SAMPLES != 0);
    uint64_t chunk, n;
    size_t count = 0;

    for (uint64_t at = 0; at < told->chunks; at += part) {
        if (!chunk_bitmap_next(told, at + random_below(part), &chunk, &n) ||
            chunk >= at + part)
            if (!chunk_bitmap_next(told, at, &chunk, &n) || chunk >= at + part)
                continue;
        samples[count++] = chunk;
    }
    return count;
}

int source_check_told(const struct disk_scan *scan,
                      const struct chunk_bitmap *told,
                      const struct digest *table, struct error *err)
{
    uint64_t samples[SAMPLES];
    struct disk_scan sampling = *scan;
    struct digest *again;
    int r;

    sampling.chosen = samples;
    sampling.chosen_count = choose_told(told, samples);
    if (digest_open(digest_algorithm(table), scan->virtual_bytes, &again, err) <
        0)
        return -1;
    r = disk_scan_run(&sampling, again, err);
    if (r < 0)
        error_wrap(err, "read again");
    else
        r = 1;
    for (size_t i = 0; r > 0 && i < sampling.chosen_count; i++)
        r = digest_agrees(again, table, samples[i]);
    digest_close(again);
    return r;
}

static int compare_sample(const struct disk_scan *scan, uint64_t chunk,
                          const struct digest *digest,
                          const struct digest *again, struct error *err)
{
    if (digest_agrees(again, digest, chunk))
        return 0;
    return error_set_at(err, ERROR_CHANGED, 0, chunk * CHUNK_BYTES,
                        "%s was written to while it was read, at %" PRIu64
                        " and perhaps elsewhere",
                        scan->image.path, chunk * CHUNK_BYTES);
}

static int check_samples(const struct disk_scan *scan,
                         const struct digest *digest, struct error *err)
{
    uint64_t samples[SAMPLES];
    struct disk_scan sampling = *scan;
    struct digest *again;
    int r;

    if (digest_open(digest_algorithm(digest), scan->virtual_bytes, &again,
                    err) < 0)
        return -1;
    sampling.chosen = samples;
    sampling.chosen_count = choose_samples(scan->virtual_bytes, samples);
    r = disk_scan_run(&sampling, again, err);
    if (r < 0)
        error_wrap(err, "read again");
    for (size_t i = 0; r == 0 && i < sampling.chosen_count; i++)
        r = compare_sample(scan, samples[i], digest, again, err);
    digest_close(again);
    return r;
}

bool source_can_sample(const struct image *image)
{
    return !image->is_sequential && !image->stream && !image->pipe;
}

int source_check_same(const struct disk_scan *scan, const struct digest *digest,
                      struct error *err)
{
    const struct image *image = scan->image.like;

    if (image && image_check_same(image, err) < 0)
        return -1;
    if (!image || !source_can_sample(image))
        return 0;
    return check_samples(scan, digest, err);
}
