/* Names of one storage, by whatever way, and of different ones. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/path_overlap.h"
#include "unit.h"

static void make(const char *path)
{
    int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    close(fd);
}

static int enter(void **state)
{
    char path[] = "/tmp/clonewire-overlap-XXXXXX";

    (void)state;
    if (!mkdtemp(path) || chdir(path) < 0)
        return -1;
    make("file");
    make("other");
    assert_int_equal(mkdir("dir", 0700), 0);
    assert_int_equal(link("file", "hard"), 0);
    assert_int_equal(symlink("file", "soft"), 0);
    assert_int_equal(symlink("../soft", "dir/twice"), 0);
    assert_int_equal(symlink("new", "to-new"), 0);
    assert_int_equal(symlink("../to-new", "dir/to-new-twice"), 0);
    assert_int_equal(symlink("circle", "circle"), 0);
    return 0;
}

static int leave(void **state)
{
    static const char *const names[] = {
        "file",      "other",  "hard",   "soft",
        "dir/twice", "to-new", "circle", "dir/to-new-twice",
    };
    char path[4096];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        (void)unlink(names[i]);
    (void)rmdir("dir");
    return getcwd(path, sizeof(path)) && chdir("/") == 0 ? rmdir(path) : -1;
}

static void test_names(void **state)
{
    static const struct {
        const char *a;
        const char *b;
        bool want;
    } cases[] = {
        { "file", "file", true },
        { "file", "./dir/../file", true },
        { "file", "hard", true },
        { "file", "soft", true },
        { "soft", "dir/twice", true },
        { "hard", "dir/twice", true },
        { "new", "new", true },
        { "new", "dir/../new", true },
        { "new", "to-new", true },
        { "new", "dir/to-new-twice", true },
        { "to-new", "dir/to-new-twice", true },
        { "file", "other", false },
        { "file", "new", false },
        { "new", "newer", false },
        { "new", "dir/new", false },
        { "file", "dir", false },
        { "dir", "dir", false }, /* no disk, and not written */
        { "circle", "circle", false },
        { "file", "missing/file", false },
        { "missing/file", "missing/file", false }, /* cannot be made */
        { "/dev/null", "/dev/null", false },
        { "", "", false },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        print_message("    %s, %s\n", cases[i].a, cases[i].b);
        assert_int_equal(path_overlap(cases[i].a, cases[i].b), cases[i].want);
        assert_int_equal(path_overlap(cases[i].b, cases[i].a), cases[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_names) };

    return cmocka_run_group_tests(tests, enter, leave);
}
