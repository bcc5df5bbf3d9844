/* How long a lost connection is tried again. */
#include "clonewire/clonewire.h"
#include "job/retry.h"
#include "unit.h"

static void test_one_budget(void **state)
{
    struct retry retry = { .budget_ns = 100 };

    (void)state;
    assert_true(retry_again(&retry, 0, 1000));
    assert_true(retry_again(&retry, 0, 1099)); /* no progress: no new time */
    assert_false(retry_again(&retry, 0, 1100));
}

static void test_progress_renews(void **state)
{
    struct retry retry = { .budget_ns = 100 };

    (void)state;
    assert_true(retry_again(&retry, 5, 1000));
    assert_true(retry_again(&retry, 6, 1500));
    assert_int_equal(retry.deadline_ns, 1600);
    assert_true(retry_again(&retry, 6, 1599));
    assert_false(retry_again(&retry, 6, 1600));
}

static void test_off(void **state)
{
    struct retry retry = { .budget_ns = CW_RETRY_OFF };

    (void)state;
    assert_false(retry_again(&retry, 1, 1000));
    assert_false(retry_again(&retry, 2, 2000));
}

static void test_what_passes(void **state)
{
    struct error err;

    (void)state;
    error_set(&err, ERROR_TEMPORARY, 0, "lost");
    assert_true(retry_is_passing(&err));
    error_set(&err, ERROR_TLS, 0, "expired");
    assert_true(retry_is_passing(&err));
    error_set(&err, ERROR_TARGET_IO, 0, "broken");
    assert_false(retry_is_passing(&err));
    error_set(&err, ERROR_CANCELLED, 0, "stopped");
    assert_false(retry_is_passing(&err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_budget),
        cmocka_unit_test(test_progress_renews),
        cmocka_unit_test(test_off),
        cmocka_unit_test(test_what_passes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
