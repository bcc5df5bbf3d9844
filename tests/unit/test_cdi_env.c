/* What CDI's controller writes, read as its own programs read it. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "program/cdi_env.h"
#include "unit.h"

static void test_bool(void **state)
{
    static const struct {
        const char *text;
        int want; /* -1: none */
    } cases[] = {
        { "1", 1 },    { "t", 1 },     { "T", 1 },     { "true", 1 },
        { "TRUE", 1 }, { "True", 1 },  { "0", 0 },     { "f", 0 },
        { "F", 0 },    { "false", 0 }, { "FALSE", 0 }, { "False", 0 },
        { "", -1 },    { "yes", -1 },  { "tRUE", -1 }, { "1 ", -1 },
        { "no", -1 },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        bool value = false;
        bool is_one = cdi_bool(cases[i].text, &value);

        CASE(cases[i].text);
        assert_int_equal(is_one ? value : -1, cases[i].want);
    }
}

static void test_log_level(void **state)
{
    static const struct {
        const char *argv[5];
        enum cw_log_level want;
    } cases[] = {
        { { "x", NULL }, CW_LOG_INFO },
        { { "x", "-alsologtostderr", "-v=3", NULL }, CW_LOG_INFO },
        { { "x", "--v=5", NULL }, CW_LOG_DEBUG },
        { { "x", "-v", "9", NULL }, CW_LOG_DEBUG },
        { { "x", "--v", NULL }, CW_LOG_INFO },
        { { "x", "-v=much", "-vmodule=a=9", NULL }, CW_LOG_INFO },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(cdi_log_level(cases[i].argv), cases[i].want);
}

static mode_t mode_of_termination_log(const char *path)
{
    struct log_output log;
    struct stat st;

    assert_int_equal(setenv("CLONEWIRE_TERMINATION_LOG", path, 1), 0);
    log_output_init(&log, STDERR_FILENO, false, "cdi");
    cdi_write_termination_log(&log, "done");
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(unlink(path), 0);
    return st.st_mode & 0777;
}

/* Only a file is made private: run as root it may be given a device. */
static void test_termination_log_is_private(void **state)
{
    char file[] = "cdi-term-XXXXXX", fifo[] = "cdi-fifo-XXXXXX";
    int fd = mkstemp(file);

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(fchmod(fd, 0644), 0);
    close(fd);
    assert_int_equal(mode_of_termination_log(file), 0600);

    fd = mkstemp(fifo);
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(unlink(fifo), 0);
    assert_int_equal(mkfifo(fifo, 0600), 0);
    assert_int_equal(chmod(fifo, 0644), 0);
    fd = open(fifo, O_RDWR | O_CLOEXEC); /* a reader */
    assert_true(fd >= 0);
    assert_int_equal(mode_of_termination_log(fifo), 0644);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bool),
        cmocka_unit_test(test_log_level),
        cmocka_unit_test(test_termination_log_is_private),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
