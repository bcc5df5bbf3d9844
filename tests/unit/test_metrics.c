#include <string.h>

#include "monitor/metrics.h"
#include "unit.h"

#define SECOND UINT64_C(1000000000)

static struct progress progress = { .data_bytes = 17,
                                    .wait_disk_ns = 2345678901 };

static struct metrics some(void)
{
    return (struct metrics){
        .is_ready = true,
        .phase = CW_PHASE_COPYING,
        .lanes = 2,
        .job_id = "a\"b\\c\nd",
        .tls = "TLSv1.3 TLS_AES_128_GCM_SHA256",
        .image_format = "raw",
        .io_engine = "threads",
        .disk_bytes = UINT64_C(1) << 60,
        .mapped_bytes = 4096,
        .progress_ppm = 250000,
        .eta_ns = 3 * SECOND / 2,
        .last_progress_ns = METRICS_UNKNOWN,
        .progress = &progress,
    };
}

static void test_format(void **state)
{
    static const char *const lines[] = {
        "\",side=\"target\"} 1\n",
        "clonewire_job_info{job_id=\"a\\\"b\\\\c\\nd\",io_engine=\"threads\","
        "tls=\"TLSv1.3 TLS_AES_128_GCM_SHA256\",image_format=\"raw\"} 1\n",
        "clonewire_phase{phase=\"planning\"} 0\n",
        "clonewire_phase{phase=\"copying\"} 1\n",
        "clonewire_ready 1\n",
        "clonewire_lanes 2\n",
        "# TYPE clonewire_disk_bytes gauge\n"
        "clonewire_disk_bytes 1152921504606846976\n",
        "clonewire_progress_ratio 0.250000\n",
        "clonewire_eta_seconds 1.500\n",
        "# TYPE clonewire_written_bytes_total counter\n"
        "clonewire_written_bytes_total 17\n",
        "clonewire_resumed_bytes_total 0\n",
        "clonewire_unverified_bytes_total 0\n",
        "clonewire_not_of_one_moment 0\n",
        "clonewire_pass 0\n",
        "clonewire_wait_seconds_total{stage=\"disk\"} 2.345\n",
        "clonewire_wait_seconds_total{stage=\"network\"} 0.000\n",
        "clonewire_failed_sessions_total 0\n",
        "clonewire_verify_failures_total 0\n",
    };
    struct metrics metrics = some();
    char text[16384];
    size_t len = metrics_format(&metrics, text, sizeof(text));

    (void)state;
    assert_int_equal(len, strlen(text));
    for (size_t i = 0; i < ARRAY_LEN(lines); i++)
        if (!strstr(text, lines[i]))
            fail_msg("no line %s in:\n%s", lines[i], text);
    /* What is not known, or is the other side's, is not there. */
    assert_null(strstr(text, "last_progress"));
    assert_null(strstr(text, "sent_bytes"));
    assert_null(strstr(text, "retries"));

    metrics.is_source = true;
    metrics_format(&metrics, text, sizeof(text));
    assert_non_null(strstr(text, "clonewire_sent_bytes_total 17\n"));
    assert_non_null(strstr(text, "clonewire_retries_total 0\n"));
    assert_null(strstr(text, "written_bytes"));
}

/* Whatever the room, what is there is whole lines that name one thing. */
static void test_format_small(void **state)
{
    struct metrics metrics = some();
    char text[4096];

    (void)state;
    for (size_t len = 1; len < sizeof(text); len += 7) {
        size_t used = metrics_format(&metrics, text, len);

        assert_true(used < len);
        assert_int_equal(text[used], '\0');
        assert_true(used == 0 || text[used - 1] == '\n');
    }
}

/* The longest texts there can be still leave room for every number. */
static void test_format_large(void **state)
{
    struct metrics metrics = some();
    char text[16384];

    (void)state;
    memset(metrics.job_id, '"', sizeof(metrics.job_id) - 1);
    memset(metrics.tls, '"', sizeof(metrics.tls) - 1);
    memset(metrics.image_format, '"', sizeof(metrics.image_format) - 1);
    metrics_format(&metrics, text, sizeof(text));
    assert_non_null(strstr(text, "image_format=\"\\\"\\\""));
    assert_non_null(strstr(text, "stage=\"network\""));
}

static void test_progress(void **state)
{
    static const struct {
        enum cw_phase phase;
        uint64_t handled, mapped, want_ppm;
    } cases[] = {
        { CW_PHASE_STARTING, 0, 0, 0 },
        { CW_PHASE_COPYING, 0, 100, 0 },
        { CW_PHASE_COPYING, 50, 100, 500000 },
        { CW_PHASE_COPYING, 100, 100, 999999 },
        { CW_PHASE_FLUSHING, 200, 100, 999999 },
        { CW_PHASE_FLUSHING, UINT64_MAX, UINT64_MAX, 999999 },
        { CW_PHASE_FLUSHING, 0, 0, 0 },
        { CW_PHASE_DONE, 0, 0, 1000000 },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(metrics_progress_ppm(cases[i].phase, cases[i].handled,
                                              cases[i].mapped),
                         cases[i].want_ppm);
}

static void test_eta(void **state)
{
    (void)state;
    assert_int_equal(metrics_eta_ns(CW_PHASE_COPYING, 25, 100, SECOND),
                     3 * SECOND);
    assert_int_equal(metrics_eta_ns(CW_PHASE_COPYING, 0, 100, SECOND),
                     METRICS_UNKNOWN);
    assert_int_equal(metrics_eta_ns(CW_PHASE_COPYING, 101, 100, SECOND),
                     METRICS_UNKNOWN);
    assert_int_equal(
        metrics_eta_ns(CW_PHASE_COPYING, 1, UINT64_MAX, UINT64_MAX),
        METRICS_UNKNOWN);
    assert_int_equal(metrics_eta_ns(CW_PHASE_FLUSHING, 100, 100, SECOND),
                     METRICS_UNKNOWN);
    assert_int_equal(metrics_eta_ns(CW_PHASE_DONE, 100, 100, SECOND), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_format),
        cmocka_unit_test(test_format_small),
        cmocka_unit_test(test_format_large),
        cmocka_unit_test(test_progress),
        cmocka_unit_test(test_eta),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
