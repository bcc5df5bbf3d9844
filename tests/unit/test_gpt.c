#include "plan/gpt.h"
#include "unit.h"

static uint8_t head[GPT_HEAD_BYTES];

static void put_header(size_t at, uint8_t my_lba, uint8_t header_bytes)
{
    static const uint8_t signature[] = {
        'E', 'F', 'I', ' ', 'P', 'A', 'R', 'T'
    };

    memcpy(head + at, signature, sizeof(signature));
    head[at + 10] = 1; /* revision 1.0 */
    head[at + 12] = header_bytes;
    head[at + 24] = my_lba;
}

static void test_sizes(void **state)
{
    static const struct {
        const char *name;
        size_t at;
        size_t len;
        uint32_t want;
        uint8_t my_lba;
        uint8_t header_bytes;
    } cases[] = {
        { "512", 512, GPT_HEAD_BYTES, 512, 1, 92 },
        { "4096", 4096, GPT_HEAD_BYTES, 4096, 1, 92 },
        { "at no sector", 1024, GPT_HEAD_BYTES, 0, 1, 92 },
        { "a backup header", 512, GPT_HEAD_BYTES, 0, 7, 92 },
        { "header too short", 512, GPT_HEAD_BYTES, 0, 1, 91 },
        { "disk ends with it", 512, 512 + 92, 512, 1, 92 },
        { "disk ends inside", 512, 512 + 91, 0, 1, 92 },
        { "4096 cut off", 4096, 4096 + 91, 0, 1, 92 },
        { "no bytes", 512, 0, 0, 1, 92 },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CASE(cases[i].name);
        memset(head, 0, sizeof(head));
        put_header(cases[i].at, cases[i].my_lba, cases[i].header_bytes);
        assert_int_equal(gpt_sector_bytes(head, cases[i].len), cases[i].want);
    }
}

static void test_header_may_not_pass_its_sector(void **state)
{
    (void)state;
    memset(head, 0, sizeof(head));
    put_header(512, 1, 0);
    head[512 + 13] = 2; /* 512 bytes: all of the sector */
    assert_int_equal(gpt_sector_bytes(head, sizeof(head)), 512);
    head[512 + 12] = 1; /* 513 */
    assert_int_equal(gpt_sector_bytes(head, sizeof(head)), 0);
}

static void test_misfit(void **state)
{
    (void)state;
    memset(head, 0, sizeof(head));
    assert_int_equal(gpt_misfit(head, sizeof(head), 4096), 0);
    put_header(512, 1, 92);
    assert_int_equal(gpt_misfit(head, sizeof(head), 512), 0);
    assert_int_equal(gpt_misfit(head, sizeof(head), 4096), 512);
    memset(head, 0, sizeof(head));
    put_header(4096, 1, 92);
    assert_int_equal(gpt_misfit(head, sizeof(head), 512), 4096);
    assert_int_equal(gpt_misfit(head, sizeof(head), 4096), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_header_may_not_pass_its_sector),
        cmocka_unit_test(test_misfit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
