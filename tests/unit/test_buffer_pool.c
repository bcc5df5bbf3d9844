#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "io/buffer_pool.h"
#include "unit.h"

#define COUNT        5
#define BUFFER_BYTES ((size_t)12 << 12)

static int open_pool(void **state)
{
    *state = buffer_pool_open(COUNT, BUFFER_BYTES);
    return *state ? 0 : -1;
}

static int close_pool(void **state)
{
    buffer_pool_close(*state);
    return 0;
}

static void test_leases_all_then_none(void **state)
{
    struct buffer_pool *pool = *state;
    uint8_t *bufs[COUNT];

    for (unsigned i = 0; i < COUNT; i++) {
        assert_int_equal(buffer_pool_leased(pool), i);
        bufs[i] = buffer_pool_lease(pool);
        assert_non_null(bufs[i]);
    }
    assert_null(buffer_pool_lease(pool));
    assert_int_equal(buffer_pool_leased(pool), COUNT);

    buffer_pool_return(pool, bufs[2]);
    assert_int_equal(buffer_pool_leased(pool), COUNT - 1);
    assert_ptr_equal(buffer_pool_lease(pool), bufs[2]);
    assert_null(buffer_pool_lease(pool));

    for (unsigned i = 0; i < COUNT; i++)
        buffer_pool_return(pool, bufs[i]);
    assert_int_equal(buffer_pool_leased(pool), 0);
}

/* Headroom and buffer of one never touch those of another. */
static void test_buffers_are_apart(void **state)
{
    struct buffer_pool *pool = *state;
    uintptr_t page_bytes = (uintptr_t)sysconf(_SC_PAGESIZE);
    size_t region_len;
    const uint8_t *region = buffer_pool_region(pool, &region_len);
    uint8_t *bufs[COUNT];

    for (unsigned i = 0; i < COUNT; i++) {
        bufs[i] = buffer_pool_lease(pool);
        assert_int_equal((uintptr_t)bufs[i] % page_bytes, 0);
        assert_true(bufs[i] - BUFFER_POOL_HEADROOM_BYTES >= region);
        assert_true(bufs[i] + BUFFER_BYTES <= region + region_len);
        memset(bufs[i] - BUFFER_POOL_HEADROOM_BYTES, (int)i + 1,
               BUFFER_POOL_HEADROOM_BYTES + BUFFER_BYTES);
    }
    for (unsigned i = 0; i < COUNT; i++) {
        for (size_t at = 0; at < BUFFER_POOL_HEADROOM_BYTES + BUFFER_BYTES;
             at++)
            assert_int_equal((bufs[i] - BUFFER_POOL_HEADROOM_BYTES)[at], i + 1);
        buffer_pool_return(pool, bufs[i]);
    }
}

/* Returns whether the mapping that begins at address asks for huge pages. */
static bool asks_for_huge_pages(const void *address)
{
    FILE *maps = fopen("/proc/self/smaps", "re");
    char line[512], start[32];
    bool is_here = false, asks = false;

    assert_non_null(maps);
    snprintf(start, sizeof(start), "%zx-", (size_t)address);
    while (fgets(line, sizeof(line), maps)) {
        if (strncmp(line, "VmFlags:", 8) != 0)
            is_here = is_here || strncmp(line, start, strlen(start)) == 0;
        else if (is_here) {
            asks = strstr(line, " hg") != NULL;
            break;
        }
    }
    fclose(maps);
    return asks;
}

static void test_buffers_lie_in_huge_pages(void **state)
{
    struct buffer_pool *pool = buffer_pool_open(4, (size_t)1 << 20);
    void *region;
    size_t len;

    (void)state;
    assert_non_null(pool);
    region = buffer_pool_region(pool, &len);
    assert_int_equal((uintptr_t)region % (2 << 20), 0);
    if (access("/sys/kernel/mm/transparent_hugepage", F_OK) == 0)
        assert_true(asks_for_huge_pages(region));
    buffer_pool_close(pool);
}

/* As where the machine has huge pages set to "never". */
static void test_works_without_huge_pages(void **state)
{
    assert_return_code(prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0), errno);
    assert_int_equal(open_pool(state), 0);
    test_buffers_are_apart(state);
    close_pool(state);
    assert_return_code(prctl(PR_SET_THP_DISABLE, 0, 0, 0, 0), errno);
}

static void test_too_large_is_refused(void **state)
{
    (void)state;
    assert_null(buffer_pool_open(1U << 20, SIZE_MAX / 4096 / 8 * 4096));
    assert_null(buffer_pool_open(2, SIZE_MAX / 4096 * 4096));
    buffer_pool_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_leases_all_then_none, open_pool,
                                        close_pool),
        cmocka_unit_test_setup_teardown(test_buffers_are_apart, open_pool,
                                        close_pool),
        cmocka_unit_test(test_buffers_lie_in_huge_pages),
        cmocka_unit_test(test_works_without_huge_pages),
        cmocka_unit_test(test_too_large_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
