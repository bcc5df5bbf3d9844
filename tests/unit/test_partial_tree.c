/* A directory that files are unpacked in: in use, or left by a killed process. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "io/partial_tree.h"
#include "own_dir.h"
#include "tar/extract.h"
#include "unit.h"

/* Another process works in the partial tree: it is left alone. */
static void test_in_use(void **state)
{
    const struct tar_extract_options options = { .directory = "dst" };
    struct tar_extract_report report;
    struct error err = { 0 };
    int dir_fd, fd;

    (void)state;
    sh("rm -rf dst; mkdir dst");
    dir_fd = open("dst", O_RDONLY | O_DIRECTORY);
    fd = partial_tree_make(dir_fd);
    assert_true(fd >= 0);
    sh("head -c 300000 /dev/zero >dst/" PARTIAL_TREE_NAME "/theirs");
    assert_int_equal(partial_tree_bytes("dst"), 0);
    assert_int_equal(partial_tree_clear(dir_fd), -EBUSY);
    assert_int_equal(tar_extract_tree(&options, &report, &err), -1);
    assert_int_equal(err.kind, ERROR_REFUSED);
    sh("test -s dst/" PARTIAL_TREE_NAME "/theirs");

    close(fd);
    assert_in_range(partial_tree_bytes("dst"), 300000, 400000);
    assert_int_equal(partial_tree_clear(dir_fd), 0);
    assert_int_not_equal(access("dst/" PARTIAL_TREE_NAME, F_OK), 0);
    assert_int_equal(partial_tree_bytes("dst"), 0);
    close(dir_fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_in_use),
    };

    return cmocka_run_group_tests(tests, enter, leave);
}
