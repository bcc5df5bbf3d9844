#include "base/clock.h"
#include "output/progress_bar.h"
#include "unit.h"

#define GIB (UINT64_C(1) << 30)
#define MIB (UINT64_C(1) << 20)

static struct cw_progress halfway(void)
{
    return (struct cw_progress){
        .phase = CW_PHASE_COPYING,
        .disk_bytes = 10 * GIB,
        .total_bytes = 4 * GIB,
        .handled_bytes = 2 * GIB,
        .data_bytes = 2 * GIB,
        .zero_bytes = 6 * GIB,
        .elapsed_ns = 2 * CLOCK_SECOND_NS,
        .lanes = 2,
    };
}

static void test_widths(void **state)
{
    static const struct {
        unsigned columns;
        const char *want;
    } cases[] = {
        { 200, "copying    50.0% [=============================>"
               "                            ] 2 GiB/4 GiB 1 GiB/s avg 1 GiB/s "
               "ETA 0:02 zeros 6 GiB 2 lanes" },
        { 80, "copying    50.0% [=====>     ] 2 GiB/4 GiB 1 GiB/s ETA 0:02 "
              "zeros 6 GiB 2 lanes" },
        { 40, " 50.0% [======>      ] 1 GiB/s ETA 0:02" },
        { 60, "copying    50.0% [=====>     ] 2 GiB/4 GiB 1 GiB/s ETA 0:02" },
        { 20, " 50.0% 1 GiB/s" },
        { 10, " 50.0%" },
        { 6, "" },
        { 1, "" },
        { 0, "" },
    };
    struct cw_progress p = halfway();
    struct progress_bar bar = { 0 };
    char buf[512];

    (void)state;
    progress_bar_update(&bar, &p);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        unsigned taken = progress_bar_format(&bar, &p, cases[i].columns, false,
                                             buf, sizeof(buf));

        assert_string_equal(buf, cases[i].want);
        assert_int_equal(taken, strlen(buf));
    }
}

/* While the connection is lost nothing moves: no rate, no time of arrival. */
static void test_reconnecting(void **state)
{
    struct cw_progress p = halfway();
    struct progress_bar bar = { 0 };
    char buf[512];

    (void)state;
    progress_bar_update(&bar, &p);
    p.lost_ns = 12 * CLOCK_SECOND_NS;
    p.retry_ns = 288 * CLOCK_SECOND_NS;
    progress_bar_update(&bar, &p);
    progress_bar_format(&bar, &p, 80, false, buf, sizeof(buf));
    assert_string_equal(buf, "reconnecting 0:12, 4:48 left  50.0% 2 GiB/4 GiB "
                             "zeros 6 GiB 2 lanes");
    progress_bar_format(&bar, &p, 40, false, buf, sizeof(buf));
    assert_string_equal(buf, "reconnecting 0:12, 4:48 left  50.0%");
    assert_string_equal(
        progress_bar_format_plain(&bar, &p, buf, sizeof(buf)),
        "reconnecting 0:12, 4:48 left, at 50.0%, 2 GiB/4 GiB, zeros 6 GiB, "
        "2 lanes");
}

/* At no width does any state fill the last column, coloured or not. */
static void test_never_too_wide(void **state)
{
    struct cw_progress p = halfway();
    struct progress_bar bar = { 0 };
    char plain[512], coloured[512];

    (void)state;
    p.total_bytes = UINT64_MAX;
    p.zero_bytes = 1023 * MIB + 921 * 1024;
    p.handled_bytes = UINT64_MAX / 3;
    progress_bar_update(&bar, &p);
    for (unsigned columns = 0; columns < 300; columns++) {
        unsigned taken = progress_bar_format(&bar, &p, columns, false, plain,
                                             sizeof(plain));

        assert_true(taken == 0 || taken < columns);
        assert_int_equal(strlen(plain), taken);
        assert_int_equal(progress_bar_format(&bar, &p, columns, true, coloured,
                                             sizeof(coloured)),
                         taken);
        if (strchr(plain, '['))
            assert_int_equal(strlen(coloured),
                             taken + strlen("\033[32m\033[0m"));
    }
}

/* A disk that is being zeroed must not look as if it stood still. */
static void test_zeroing_shows(void **state)
{
    struct cw_progress p = halfway();
    struct progress_bar bar = { 0 };
    char buf[512];

    (void)state;
    p.zeroed_bytes = 3 * GIB;
    progress_bar_update(&bar, &p);
    progress_bar_format(&bar, &p, 200, false, buf, sizeof(buf));
    assert_non_null(strstr(buf, "zeros 6 GiB, 3 GiB zeroed"));
}

static void test_phases(void **state)
{
    struct cw_progress p = { .phase = CW_PHASE_STARTING };
    struct progress_bar bar = { 0 };
    char buf[512];

    (void)state;
    progress_bar_update(&bar, &p);
    progress_bar_format(&bar, &p, 80, false, buf, sizeof(buf));
    assert_string_equal(buf, "starting");
    p.phase = CW_PHASE_PLANNING;
    progress_bar_update(&bar, &p);
    progress_bar_format_plain(&bar, &p, buf, sizeof(buf));
    assert_string_equal(buf, "planning");

    p = halfway();
    progress_bar_update(&bar, &p);
    progress_bar_format_plain(&bar, &p, buf, sizeof(buf));
    assert_string_equal(buf, "copying 50.0%, 2 GiB/4 GiB, 1 GiB/s, "
                             "avg 1 GiB/s, ETA 0:02, zeros 6 GiB, 2 lanes");

    p.handled_bytes = p.total_bytes;
    p.phase = CW_PHASE_FLUSHING;
    progress_bar_update(&bar, &p);
    progress_bar_format(&bar, &p, 40, false, buf, sizeof(buf));
    assert_string_equal(buf, "flushing   99.9% [=======>] 4 GiB/4 GiB");
    p.phase = CW_PHASE_VERIFYING;
    progress_bar_update(&bar, &p);
    progress_bar_format_plain(&bar, &p, buf, sizeof(buf));
    assert_string_equal(buf, "verifying 99.9%, 4 GiB/4 GiB, zeros 6 GiB, "
                             "2 lanes");
    p.disk_bytes = 10 * GIB;
    p.verified_bytes = GIB;
    progress_bar_format_plain(&bar, &p, buf, sizeof(buf));
    assert_string_equal(buf, "verifying 99.9%, 1 GiB/10 GiB read back, "
                             "zeros 6 GiB, 2 lanes");
    p.phase = CW_PHASE_DONE;
    progress_bar_update(&bar, &p);
    progress_bar_format(&bar, &p, 30, false, buf, sizeof(buf));
    assert_string_equal(buf, "done      100.0% [==========]");
}

static void test_honest_percent(void **state)
{
    static const struct {
        const char *name;
        enum cw_phase phase;
        uint64_t handled, total;
        unsigned want;
    } steps[] = {
        { "nothing known", CW_PHASE_PLANNING, 0, 0, 0 },
        { "begun", CW_PHASE_COPYING, 0, 1000, 0 },
        { "a third", CW_PHASE_COPYING, 333, 1000, 333 },
        { "never back", CW_PHASE_COPYING, 200, 1000, 333 },
        { "not by rounding", CW_PHASE_COPYING, 999999, 1000000, 999 },
        { "all copied", CW_PHASE_COPYING, 1000, 1000, 999 },
        { "more than all", CW_PHASE_COPYING, 2000, 1000, 999 },
        { "not durable", CW_PHASE_FLUSHING, 1000, 1000, 999 },
        { "not compared", CW_PHASE_VERIFYING, 1000, 1000, 999 },
        { "durable", CW_PHASE_DONE, 1000, 1000, 1000 },
    };
    struct progress_bar bar = { 0 };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        struct cw_progress p = {
            .phase = steps[i].phase,
            .handled_bytes = steps[i].handled,
            .total_bytes = steps[i].total,
        };

        CASE(steps[i].name);
        progress_bar_update(&bar, &p);
        assert_int_equal(bar.permille, steps[i].want);
    }
}

static void test_rate_and_eta(void **state)
{
    struct cw_progress p = halfway();
    struct progress_bar bar = { 0 };
    uint64_t before;
    char buf[512];

    (void)state;
    p.total_bytes = 1000 * GIB;
    p.elapsed_ns = 0;
    progress_bar_update(&bar, &p);
    assert_int_equal(bar.eta_s,
                     PROGRESS_BAR_NO_ETA); /* no guess without a sample */
    assert_false(bar.has_rate);

    /* A steady GiB/s is shown as that at once, whatever came before. */
    bar = (struct progress_bar){ 0 };
    for (unsigned i = 1; i <= 8; i++) {
        p.elapsed_ns = i * CLOCK_SECOND_NS / 4;
        p.handled_bytes = p.data_bytes = i * GIB / 4;
        progress_bar_update(&bar, &p);
        assert_int_equal(bar.data_rate, GIB);
    }
    assert_int_equal(bar.eta_s, 998);

    /* A stall sinks in over seconds, and ends in no guess at all. */
    before = bar.data_rate;
    p.elapsed_ns += CLOCK_SECOND_NS / 4;
    progress_bar_update(&bar, &p);
    assert_in_range(bar.data_rate, before * 9 / 10, before - 1);
    for (unsigned i = 0; i < 1000; i++) {
        p.elapsed_ns += CLOCK_SECOND_NS;
        progress_bar_update(&bar, &p);
    }
    assert_int_equal(bar.data_rate, 0);
    assert_int_equal(bar.eta_s, PROGRESS_BAR_NO_ETA);
    progress_bar_format(&bar, &p, 60, false, buf, sizeof(buf));
    assert_null(strstr(buf, "ETA"));
    assert_non_null(strstr(buf, "0 B/s"));
}

static void test_eta_forms(void **state)
{
    static const struct {
        uint64_t eta_s;
        const char *want;
    } cases[] = {
        { 0, "ETA 0:00" },          { 59, "ETA 0:59" },
        { 3599, "ETA 59:59" },      { 3600, "ETA 1:00:00" },
        { 359999, "ETA 99:59:59" }, { 360000, "ETA >99h" },
    };
    struct cw_progress p = halfway();
    struct progress_bar bar = { .has_rate = true };
    char buf[512];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        bar.eta_s = cases[i].eta_s;
        progress_bar_format(&bar, &p, 40, false, buf, sizeof(buf));
        assert_non_null(strstr(buf, cases[i].want));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_widths),
        cmocka_unit_test(test_reconnecting),
        cmocka_unit_test(test_never_too_wide),
        cmocka_unit_test(test_zeroing_shows),
        cmocka_unit_test(test_phases),
        cmocka_unit_test(test_honest_percent),
        cmocka_unit_test(test_rate_and_eta),
        cmocka_unit_test(test_eta_forms),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
