/* A reader that stands still holds up nobody, and learns what it missed. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "output/background_writer.h"
#include "output/log_output.h"
#include "unit.h"

#define LINES     20000U /* some megabytes: more than a pipe and the buffer */
#define LINE_FORM "line %05u of some length, so that they soon add up ........"

/* What came through a pipe so far. */
static struct {
    size_t used;
    char text[(size_t)8 << 20];
} came;

static void read_more(int fd)
{
    ssize_t n = read(fd, came.text + came.used,
                     sizeof(came.text) - 1 - came.used);

    assert_true(n > 0);
    came.used += (size_t)n;
    came.text[came.used] = '\0';
}

static void read_until(int fd, const char *last)
{
    while (!strstr(came.text, last))
        read_more(fd);
}

static int forget(void **state)
{
    (void)state;
    came.used = 0;
    came.text[0] = '\0';
    return 0;
}

static void test_in_order(void **state)
{
    struct background_writer *writer;
    struct error err;
    int fds[2];

    (void)state;
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    writer = background_writer_start(fds[1], &err);
    assert_non_null(writer);
    assert_true(background_writer_put(writer, "one\n", 4));
    assert_true(background_writer_put(writer, "two\n", 4));
    assert_true(background_writer_put(writer, "three\n", 6));
    assert_true(background_writer_flush(writer, 60000));
    assert_int_equal(background_writer_pending(writer), 0);
    read_until(fds[0], "three\n");
    assert_string_equal(came.text, "one\ntwo\nthree\n");
}

/* A pipe that another made non-blocking is waited for all the same. */
static void test_nonblocking(void **state)
{
    static char block[60000];
    struct background_writer *writer;
    struct error err;
    int fds[2];

    (void)state;
    assert_int_equal(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
    assert_true(fcntl(fds[1], F_SETPIPE_SZ, 4096) >= 4096);
    assert_int_equal(fcntl(fds[0], F_SETFL, 0), 0);
    memset(block, 'x', sizeof(block));
    memcpy(block + sizeof(block) - 4, "end\n", 4);
    writer = background_writer_start(fds[1], &err);
    assert_non_null(writer);
    assert_true(background_writer_put(writer, block, sizeof(block)));
    read_until(fds[0], "end\n");
    assert_int_equal(came.used, sizeof(block));
}

static void test_stuck(void **state)
{
    struct background_writer *writer;
    struct error err;
    uint64_t start_ns = clock_now_ns();
    int fds[2], taken = 0;
    char line[128];

    (void)state;
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    writer = background_writer_start(fds[1], &err);
    assert_non_null(writer);
    for (unsigned i = 0; i < LINES; i++) {
        int n = snprintf(line, sizeof(line), LINE_FORM "\n", i);

        taken += background_writer_put(writer, line, (size_t)n);
    }
    /* One wait of 100 ms, not one for each line: that were half an hour. */
    assert_true(clock_now_ns() - start_ns < 300 * CLOCK_SECOND_NS);
    assert_true(taken > 0 && taken < (int)LINES);
    assert_true(background_writer_pending(writer) <= BACKGROUND_WRITER_BYTES);
    assert_false(background_writer_flush(writer, 10));
}

/* When it reads on, it gets what was kept, and how much was not. */
static void test_says_what_it_dropped(void **state)
{
    unsigned lines = 0, dropped;
    struct log_output log;
    struct error err;
    const char *notice;
    char line[128];
    int fds[2];

    (void)state;
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    log_output_init(&log, fds[1], false, "source");
    assert_int_equal(log_output_start(&log, &err), 0);
    for (unsigned i = 0; i < LINES; i++) {
        snprintf(line, sizeof(line), LINE_FORM, i);
        log_output_line(&log, CW_LOG_INFO, line);
    }
    assert_false(log_output_flush(&log));

    while (background_writer_pending(log.writer) > 0)
        read_more(fds[0]);
    log_output_line(&log, CW_LOG_INFO, "the end");
    read_until(fds[0], "the end\n");
    notice = strstr(came.text, " warn  ");
    assert_non_null(notice);
    assert_int_equal(sscanf(notice, " warn  %u lines dropped", &dropped), 1);
    for (const char *at = came.text; (at = strstr(at, "line ")); at++)
        lines++;
    assert_int_equal(lines + dropped, LINES);
    assert_int_equal(log.dropped, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_in_order, forget),
        cmocka_unit_test_setup(test_nonblocking, forget),
        cmocka_unit_test_setup(test_stuck, forget),
        cmocka_unit_test_setup(test_says_what_it_dropped, forget),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
