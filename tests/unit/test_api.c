/* The embedding API: a pointer that is required may not be NULL, and zero means
 * the default that the programs have for the option of that name. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "api/defaults.h"
#include "clonewire-source/options.h"
#include "clonewire-target/options.h"
#include "clonewire/clonewire.h"
#include "unit.h"

static int each_extent(void *opaque, uint64_t offset, uint64_t length,
                       bool is_zero)
{
    (void)opaque;
    (void)offset;
    (void)length;
    (void)is_zero;
    return 0;
}

/* A call that lacks what it names in its title. */
struct bad_call {
    const char *lacks;
    int (*call)(struct cw_error *error);
};

static const struct cw_source_options no_image = { .target = "[::1]:1" };
static const struct cw_source_options no_target = { .image = "/dev/null" };
static const struct cw_source_options source = { .image = "/dev/null",
                                                 .target = "[::1]:1" };
static const struct cw_target_options no_destination = { .listen = "[::1]:0" };
static const struct cw_target_options target = { .destination = "/dev/null" };
static const struct cw_volume_options no_path = { .url = "https://[::1]/x" };
static const struct cw_volume_options no_url = { .path = "/dev/null" };

/* For the results that a call must not write. */
static struct cw_inspection inspection;
static struct cw_plan plan;
static struct cw_receipt receipt;
static struct cw_destination destination;
static struct cw_summary summary;
static char text[CW_DIGEST_CHARS];

#define CALL(name, expression)              \
    static int name(struct cw_error *error) \
    {                                       \
        return (expression);                \
    }
#define OPEN(name, expression) CALL(name, (expression) == NULL ? -1 : 0)

OPEN(source_1, cw_source_open(NULL, error))
OPEN(source_2, cw_source_open(&no_image, error))
OPEN(source_3, cw_source_open(&no_target, error))
OPEN(target_1, cw_target_open(NULL, error))
OPEN(target_2, cw_target_open(&no_destination, error))
OPEN(volume_1, cw_volume_open(NULL, error))
OPEN(volume_2, cw_volume_open(&no_path, error))
OPEN(volume_3, cw_volume_open(&no_url, error))
OPEN(local_1, cw_local_open(NULL, &target, error))
OPEN(local_2, cw_local_open(&source, NULL, error))
OPEN(local_3, cw_local_open(&no_image, &target, error))
OPEN(local_4, cw_local_open(&source, &no_destination, error))
CALL(inspect_1, cw_source_inspect(NULL, 0, &inspection, error))
CALL(inspect_2, cw_source_inspect(&no_image, 0, &inspection, error))
CALL(inspect_3, cw_source_inspect(&source, 0, NULL, error))
CALL(map_1, cw_source_map(NULL, each_extent, NULL, error))
CALL(map_2, cw_source_map(&no_image, each_extent, NULL, error))
CALL(map_3, cw_source_map(&source, NULL, NULL, error))
CALL(plan_1, cw_target_plan(NULL, 1, &plan, error))
CALL(plan_2, cw_target_plan(&no_destination, 1, &plan, error))
CALL(plan_3, cw_target_plan(&target, 1, NULL, error))
CALL(look_1, cw_target_look(NULL, &destination, error))
CALL(look_2, cw_target_look(&no_destination, &destination, error))
CALL(look_3, cw_target_look(&target, NULL, error))
CALL(pairing_1, cw_pairing_make(NULL, error))
CALL(digest_1, cw_source_digest(NULL, text, error))
CALL(digest_2, cw_source_digest(&no_image, text, error))
CALL(digest_3, cw_source_digest(&source, NULL, error))
CALL(digest_4, cw_target_digest(NULL, CW_DIGEST_DEFAULT, text, error))
CALL(digest_5,
     cw_target_digest(&no_destination, CW_DIGEST_DEFAULT, text, error))
CALL(digest_6, cw_target_digest(&target, CW_DIGEST_DEFAULT, NULL, error))
CALL(receipt_1, cw_source_check_receipt(NULL, "r", NULL, NULL, &receipt, error))
CALL(receipt_2,
     cw_source_check_receipt(&source, NULL, NULL, NULL, &receipt, error))
CALL(receipt_3, cw_source_check_receipt(&source, "r", NULL, NULL, NULL, error))
CALL(receipt_4,
     cw_source_check_receipt(&no_image, "r", NULL, NULL, &receipt, error))
CALL(receipt_5, cw_target_check_receipt(NULL, "r", NULL, NULL, &receipt, error))
CALL(receipt_6,
     cw_target_check_receipt(&target, NULL, NULL, NULL, &receipt, error))
CALL(receipt_7, cw_target_check_receipt(&target, "r", NULL, NULL, NULL, error))
CALL(receipt_8,
     cw_target_check_receipt(&no_destination, "r", NULL, NULL, &receipt, error))
CALL(run_1, cw_run(NULL, &summary, error))

static const struct bad_call calls[] = {
    { "options", source_1 },
    { "options->image", source_2 },
    { "options->target", source_3 },
    { "options", target_1 },
    { "options->destination", target_2 },
    { "options", volume_1 },
    { "options->path", volume_2 },
    { "options->url", volume_3 },
    { "options", local_1 },
    { "options", local_2 },
    { "options->image", local_3 },
    { "options->destination", local_4 },
    { "options", inspect_1 },
    { "options->image", inspect_2 },
    { "inspection", inspect_3 },
    { "options", map_1 },
    { "options->image", map_2 },
    { "each", map_3 },
    { "options", plan_1 },
    { "options->destination", plan_2 },
    { "plan", plan_3 },
    { "options", look_1 },
    { "options->destination", look_2 },
    { "destination", look_3 },
    { "code", pairing_1 },
    { "options", digest_1 },
    { "options->image", digest_2 },
    { "text", digest_3 },
    { "options", digest_4 },
    { "options->destination", digest_5 },
    { "text", digest_6 },
    { "options", receipt_1 },
    { "path", receipt_2 },
    { "receipt", receipt_3 },
    { "options->image", receipt_4 },
    { "options", receipt_5 },
    { "path", receipt_6 },
    { "receipt", receipt_7 },
    { "options->destination", receipt_8 },
    { "job", run_1 },
};

static void test_null_is_an_error(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
        struct cw_error error = { 0 };
        char want[64];

        CASE(calls[i].lacks);
        snprintf(want, sizeof(want), "%s is NULL", calls[i].lacks);
        assert_int_equal(calls[i].call(&error), -1);
        assert_int_equal(error.status, 2);
        assert_string_equal(error.kind, "usage");
        if (strncmp(error.text, want, strlen(want)) != 0)
            fail_msg("\"%s\" does not say \"%s\"", error.text, want);
        assert_int_equal(calls[i].call(NULL), -1);
    }
}

static void test_null_is_harmless(void **state)
{
    (void)state;
    cw_stop(NULL);
    cw_reload(NULL);
    cw_report(NULL);
    cw_close(NULL);
    assert_int_equal(cw_doctor("/", NULL), 0);
    assert_false(cw_target_is_begun(NULL));
    assert_false(cw_target_is_begun(&no_destination));
    assert_false(cw_paths_overlap(NULL, "/"));
    assert_false(cw_paths_overlap("/", NULL));
    assert_string_equal(cw_phase_name((enum cw_phase)99), "unknown");
}

/* Zeros with the defaults filled in must equal what the program parses without
 * options: so no option is forgotten when one is added. */
static void test_zero_is_the_programs_default(void **state)
{
    static const char *const argv[] = { "program", NULL };
    const struct cw_source_options no_source = { 0 };
    const struct cw_target_options nothing = { 0 };
    struct cw_source_options from = defaults_source(&no_source);
    struct cw_target_options to = defaults_target(&nothing);
    struct source_config source_config = { 0 };
    struct target_config target_config = { 0 };
    struct error err;

    (void)state;
    assert_int_equal(option_parse(&source_program, argv, &source_config, &err),
                     0);
    assert_memory_equal(&from, &source_config.options, sizeof(from));

    assert_int_equal(option_parse(&target_program, argv, &target_config, &err),
                     0);
    options_settle(&target_config);
    /* The program's text has another address. */
    assert_string_equal(to.listen, target_config.options.listen);
    to.listen = target_config.options.listen;
    assert_memory_equal(&to, &target_config.options, sizeof(to));
}

static void test_zero_of_a_query(void **state)
{
    struct cw_source_options options = { .image = "/dev/null" };
    char path[] = "/tmp/test_api.XXXXXX";
    int fd = mkstemp(path);

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, 1 << 20), 0);
    close(fd);
    options.image = path;
    assert_int_equal(cw_source_inspect(&options, 0, &inspection, NULL), 0);
    assert_int_equal(inspection.fs_overhead_ppm, 55000);
    assert_int_equal(
        cw_source_inspect(&options, CW_FS_OVERHEAD_NONE, &inspection, NULL), 0);
    assert_int_equal(inspection.fs_overhead_ppm, 0);
    assert_int_equal(inspection.file_volume_bytes, 1 << 20);
    unlink(path);
}

static void test_words_for_none(void **state)
{
    const struct cw_source_options from = { .cross_check = CW_CROSS_CHECK_OFF };
    const struct cw_target_options to = {
        .fs_overhead_ppm = CW_FS_OVERHEAD_NONE
    };
    const struct cw_volume_options volume = { 0 };

    (void)state;
    assert_int_equal(defaults_source(&from).cross_check, 0);
    assert_int_equal(defaults_target(&to).fs_overhead_ppm, 0);
    assert_int_equal(defaults_fs_overhead(7), 7);
    assert_true(defaults_volume(&volume).connect_timeout_ns > 0);
    assert_true(defaults_volume(&volume).tuning.stall_ns > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_null_is_an_error),
        cmocka_unit_test(test_null_is_harmless),
        cmocka_unit_test(test_zero_is_the_programs_default),
        cmocka_unit_test(test_zero_of_a_query),
        cmocka_unit_test(test_words_for_none),
    };

    clearenv(); /* the programs read it */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
