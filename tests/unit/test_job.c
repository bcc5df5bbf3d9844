/* How lanes and buffers fit into a memory limit. */
#include "job/job.h"
#include "unit.h"

#define MIB (UINT64_C(1) << 20)

static void test_buffers_fit(void **state)
{
    static const struct {
        const char *name;
        uint64_t pool_bytes;
        unsigned asked, max_lanes; /* most: whatever the CPUs are */
        unsigned lanes, blocks;    /* agreed, and what each then has */
    } cases[] = {
        { "no limit", UINT64_MAX, 0, 4, 4, 8 },
        { "limit 600 MiB", 150 * MIB, 0, 4, 4, 8 },
        { "limit 64 MiB", 16 * MIB, 0, 2, 2, 8 },
        { "limit 64 MiB, four asked for", 16 * MIB, 4, 4, 4, 4 },
        { "limit 24 MiB", 6 * MIB, 0, 1, 1, 6 },
        { "no room at all", MIB / 2, 0, 1, 1, 2 },
        { "many lanes in no room", 16 * MIB, 64, 64, 64, 2 },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct cw_job job = { .resources.pool_bytes = cases[i].pool_bytes,
                              .resources.lanes = cases[i].lanes,
                              .tuning.lanes = cases[i].asked };

        CASE(cases[i].name);
        assert_in_range(job_lanes_wanted(&job, false), 1, cases[i].max_lanes);
        assert_true(job_lanes_wanted(&job, true) >=
                    job_lanes_wanted(&job, false));
        assert_int_equal(job_lanes_accepted(&job),
                         job_lanes_wanted(&job, true));
        if (cases[i].asked > 0)
            assert_int_equal(job_lanes_wanted(&job, false), cases[i].asked);
        assert_int_equal(job_buffers_per_lane(&job), cases[i].blocks);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_buffers_fit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
