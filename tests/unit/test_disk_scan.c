/* A disk read again: all of it, or some chunks. */
#include <stdlib.h>
#include <unistd.h>

#include "plan/chunk_grid.h"
#include "tmpdisk.h"
#include "transfer/disk_scan.h"
#include "unit.h"

#define CHUNKS      10U
#define DISK_BYTES  (CHUNKS * CHUNK_BYTES - 1234)
#define DEFAULT_DIR "/var/tmp"

static char path[256];

static int setup(void **state)
{
    (void)state;
    tmpdisk_make(path, sizeof(path), DEFAULT_DIR, DISK_BYTES);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    return unlink(path);
}

static struct disk_scan survey_of(void)
{
    return (struct disk_scan){
        .image = { .path = path, .format = CW_FORMAT_RAW },
        .engine = CW_IO_ENGINE_THREADS,
        .virtual_bytes = DISK_BYTES,
    };
}

static struct digest *run(const struct disk_scan *survey)
{
    struct digest *digest;
    struct error err = { 0 };

    assert_int_equal(digest_open(DIGEST_XXH3_128, DISK_BYTES, &digest, &err),
                     0);
    if (disk_scan_run(survey, digest, &err) < 0)
        fail_msg("%s", err.text);
    return digest;
}

static void test_picks_are_read_and_nothing_else(void **state)
{
    static const uint64_t picks[] = { 0, 3, 4, 8, CHUNKS - 1 };
    struct disk_scan survey = survey_of();
    struct digest *whole = run(&survey);
    struct digest *some;

    (void)state;
    survey.chosen = picks;
    survey.chosen_count = ARRAY_LEN(picks);
    some = run(&survey);
    for (uint64_t i = 0, k = 0; i < CHUNKS; i++) {
        bool is_picked = k < ARRAY_LEN(picks) && picks[k] == i;

        assert_false(digest_is_zero(whole, i));
        assert_int_equal(digest_agrees(some, whole, i), is_picked);
        assert_int_equal(digest_is_zero(some, i), !is_picked);
        k += is_picked;
    }
    digest_close(some);
    digest_close(whole);
}

static void test_no_picks(void **state)
{
    static const uint64_t none[1];
    struct disk_scan survey = survey_of();
    struct digest *digest;

    (void)state;
    survey.chosen = none;
    digest = run(&survey);
    for (uint64_t i = 0; i < CHUNKS; i++)
        assert_true(digest_is_zero(digest, i));
    digest_close(digest);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_picks_are_read_and_nothing_else),
        cmocka_unit_test(test_no_picks),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
