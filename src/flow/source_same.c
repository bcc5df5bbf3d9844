#include "flow/source_same.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "plan/grid.h"

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
    uint64_t chunks = grid_count(virtual_bytes);
    uint64_t part = chunks / SAMPLES + (chunks % SAMPLES != 0);
    size_t count = 0;

    for (uint64_t at = 0; at < chunks; at += part)
        samples[count++] = at + random_below(chunks - at < part ? chunks - at
                                                                : part);
    return count;
}

static int compare_sample(const struct survey *survey, uint64_t chunk,
                          const struct digest *digest,
                          const struct digest *again, struct error *err)
{
    if (digest_agrees(again, digest, chunk))
        return 0;
    return error_set_at(err, ERROR_CHANGED, 0, chunk * GRID_CHUNK_BYTES,
                        "%s was written to while it was read, at %" PRIu64
                        " and perhaps elsewhere",
                        survey->image.path, chunk * GRID_CHUNK_BYTES);
}

static int check_samples(const struct survey *survey,
                         const struct digest *digest, struct error *err)
{
    uint64_t samples[SAMPLES];
    struct survey sampling = *survey;
    struct digest *again;
    int r;

    if (digest_open(digest_algorithm(digest), survey->virtual_bytes, &again,
                    err) < 0)
        return -1;
    sampling.chosen = samples;
    sampling.chosen_count = choose_samples(survey->virtual_bytes, samples);
    r = survey_run(&sampling, again, err);
    if (r < 0)
        error_wrap(err, "read again");
    for (size_t i = 0; r == 0 && i < sampling.chosen_count; i++)
        r = compare_sample(survey, samples[i], digest, again, err);
    digest_close(again);
    return r;
}

int source_check_same(const struct guard *guard, const struct survey *survey,
                      const struct digest *digest, struct error *err)
{
    const struct image *image = survey->image.like;

    if (guard_check(guard, err) < 0)
        return -1;
    /* What is unpacked in order is not read again for a sample. */
    if (!image || image->is_sequential || image->stream || image->pipe)
        return 0;
    return check_samples(survey, digest, err);
}
