/* Lists of what has changed: read as meant, or refused in one line. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "resume/changed_extents.h"
#include "unit.h"

#define MIB  (UINT64_C(1) << 20)
#define DISK (10 * MIB + 5000)

static int read_list(const char *text, struct chunk_bitmap *changed,
                     struct error *err)
{
    char path[] = "/tmp/changed.XXXXXX";
    int fd = mkstemp(path), r;

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
    *changed = (struct chunk_bitmap){ 0 };
    r = changed_extents_read(path, DISK, changed, err);
    unlink(path);
    return r;
}

static void test_lists(void **state)
{
    static const struct {
        const char *text;
        unsigned chunks; /* a bit for each */
    } cases[] = {
        { "[]", 0 },
        { " [ ] \n", 0 },
        { "[{\"offset\":0,\"length\":1}]", 0x1 },
        { "[{\"length\":2,\"offset\":1048575}]", 0x3 },
        { "[{\"offset\":5242880,\"length\":1048576},\n"
          " {\"offset\":0,\"length\":4096}]",
          0x21 },
        { "[{\"offset\":4096,\"length\":4096},{\"offset\":0,\"length\":4096}]",
          0x1 },
        { "[{\"offset\":10485760,\"length\":5000}]", 0x400 },
        { "[{\"offset\":0,\"length\":10490760}]", 0x7ff },
        { "[{\"offset\":0,\"length\":1048576,\"type\":0,"
          "\"description\":\"clean\"},{\"offset\":1048576,\"length\":1048576,"
          "\"type\":1,\"description\":\"dirty\"}]",
          0x2 },
    };
    struct chunk_bitmap changed;
    struct error err;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CASE(cases[i].text);
        assert_int_equal(read_list(cases[i].text, &changed, &err), 0);
        for (uint64_t chunk = 0; chunk < 11; chunk++)
            assert_int_equal(chunk_bitmap_has(&changed, chunk),
                             cases[i].chunks >> chunk & 1);
        chunk_bitmap_fini(&changed);
    }
}

static void test_refused(void **state)
{
    static const struct {
        const char *text, *why;
    } cases[] = {
        { "", "is not a JSON list" },
        { "{\"offset\":0,\"length\":1}", "is not a JSON list" },
        { "[1]", "extent 1 of the list" },
        { "[{}]", "extent 1 of the list" },
        { "[{\"offset\":0}]", "extent 1 of the list" },
        { "[{\"offset\":0,\"length\":-1}]", "extent 1 of the list" },
        { "[{\"offset\":0,\"length\":1.5}]", "extent 1 of the list" },
        { "[{\"offset\":\"0\",\"length\":1}]", "extent 1 of the list" },
        { "[{\"offset\":0,\"offset\":0,\"length\":1}]", "extent 1 of the" },
        { "[{\"offset\":0,\"length\":1,\"is\":2}]", "extent 1 of the list" },
        { "[{\"offset\":0,\"length\":1,\"description\":\"data\"}]",
          "extent 1 of the list" },
        { "[{\"offset\":0,\"length\":18446744073709551616}]", "extent 1" },
        { "[{\"offset\":0,\"length\":1},]", "extent 2 of the list" },
        { "[{\"offset\":0,\"length\":1}", "does not end after extent 1" },
        { "[{\"offset\":0,\"length\":1}] x", "does not end after extent 1" },
        { "[{\"offset\":7,\"length\":0}]", "at 7 is empty" },
        { "[{\"offset\":10490760,\"length\":1}]", "beyond the end" },
        { "[{\"offset\":1,\"length\":18446744073709551615}]",
          "beyond the end" },
        { "[{\"offset\":0,\"length\":10},{\"offset\":9,\"length\":1}]",
          "at 9 overlaps" },
        { "[{\"offset\":9,\"length\":1},{\"offset\":0,\"length\":10}]",
          "at 9 overlaps" },
    };
    struct chunk_bitmap changed;
    struct error err;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CASE(cases[i].text);
        assert_int_equal(read_list(cases[i].text, &changed, &err), -1);
        assert_int_equal(err.kind, ERROR_USAGE);
        if (!strstr(err.text, cases[i].why))
            fail_msg("%s: %s", cases[i].text, err.text);
        chunk_bitmap_fini(&changed);
    }
    assert_int_equal(
        changed_extents_read("/no/such/file", DISK, &changed, &err), -1);
    assert_non_null(strstr(err.text, "No such file"));
    chunk_bitmap_fini(&changed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
