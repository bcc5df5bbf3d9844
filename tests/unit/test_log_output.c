#include <pthread.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/printable.h"
#include "output/json_writer.h"
#include "output/log_output.h"
#include "output/terminal.h"
#include "unit.h"

static char captured[65536];

/* What was written to fd since the last call; a pipe never fills up here. */
static const char *capture(int fd)
{
    ssize_t n = read(fd, captured, sizeof(captured) - 1);

    assert_true(n >= 0);
    captured[n] = '\0';
    return captured;
}

static void test_escape(void **state)
{
    static const struct {
        const char *text;
        const char *want;
    } cases[] = {
        { "plain", "plain" },
        { "tab\there", "tab\\x09here" },
        { "\033[2Jgone", "\\x1b[2Jgone" },
        { "gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f" },
        { "\xe2\x82\xac \xf0\x9f\x92\xbe", "\xe2\x82\xac \xf0\x9f\x92\xbe" },
        { "\xc2\x9b[2J", "\\xc2\\x9b[2J" },             /* C1: CSI in one */
        { "\xff\xc3", "\\xff\\xc3" },                   /* no UTF-8, cut */
        { "\xc0\xaf", "\\xc0\\xaf" },                   /* overlong */
        { "\xed\xa0\x80", "\\xed\\xa0\\x80" },          /* surrogate */
        { "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80" }, /* too large */
        { "del\x7f", "del\\x7f" },
    };
    char buf[64], small[8];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_string_equal(printable_escape(buf, sizeof(buf), cases[i].text),
                            cases[i].want);
    assert_string_equal(printable_escape(small, sizeof(small), "longer text"),
                        "longer ");
    /* Cut between characters, and between escapes. */
    assert_string_equal(printable_escape(small, sizeof(small), "1234\n"),
                        "1234");
    assert_string_equal(
        printable_escape(small, sizeof(small), "12345\xe2\x82\xac"), "12345");
}

static void test_json(void **state)
{
    char buf[256];
    struct json json;

    (void)state;
    json_open(&json, buf, sizeof(buf));
    assert_string_equal(json_close(&json), "{}");

    json_open(&json, buf, sizeof(buf));
    json_add_text(&json, "a", "q\" b\\ n\n \xff");
    json_add_text(&json, "b", NULL);
    json_add_number(&json, "c", UINT64_MAX);
    json_add_thousandths(&json, "d", 12005);
    json_add_bool(&json, "e", true);
    json_add_bool(&json, "f", false);
    assert_string_equal(json_close(&json),
                        "{\"a\":\"q\\\" b\\\\ n\\u000a \\ufffd\",\"b\":null,"
                        "\"c\":18446744073709551615,\"d\":12.005,\"e\":true,"
                        "\"f\":false}");
}

/* Whatever does not fit, the object is closed and within its buffer. */
static void test_json_full(void **state)
{
    char text[400], buf[300];

    (void)state;
    for (size_t n = 0; n < sizeof(text) - 1; n++) {
        struct json json;
        size_t len;

        memset(text, n % 2 ? 'x' : '\n', n);
        text[n] = '\0';
        memset(buf, '~', sizeof(buf));
        json_open(&json, buf, 256);
        json_add_text(&json, "text", text);
        json_add_text(&json, "more", text);
        json_add_number(&json, "number", n);
        len = strlen(json_close(&json));
        assert_true(len < 256);
        assert_int_equal(buf[256], '~');
        assert_int_equal(buf[len - 1], '}');
        assert_true(buf[len - 2] == '"' || strchr("0123456789", buf[len - 2]));
    }
}

struct plain {
    struct log_output log;
    int read_fd;
    int write_fd;
};

static void open_pipe(struct plain *p, bool is_json)
{
    int fds[2];

    assert_int_equal(pipe(fds), 0);
    p->read_fd = fds[0];
    p->write_fd = fds[1];
    log_output_init(&p->log, p->write_fd, is_json, "source");
}

static void close_pipe(struct plain *p)
{
    close(p->read_fd);
    close(p->write_fd);
}

static void test_text_lines(void **state)
{
    struct cw_error error = { .status = 10, .kind = "no-space" };
    struct plain p;
    const char *line;

    (void)state;
    open_pipe(&p, false);
    log_output_line(&p.log, CW_LOG_INFO, "lane 1: \033[31mhello");
    line = capture(p.read_fd);
    assert_int_equal(line[4], '-');
    assert_int_equal(line[10], 'T');
    assert_string_equal(line + 19, "Z info  lane 1: \\x1b[31mhello\n");
    log_output_line(&p.log, CW_LOG_WARN, "w");
    assert_string_equal(capture(p.read_fd) + 19, "Z warn  w\n");
    log_output_line(&p.log, CW_LOG_DEBUG, "d");
    assert_string_equal(capture(p.read_fd) + 19, "Z debug d\n");

    snprintf(error.text, sizeof(error.text), "target: disk is full");
    log_output_error(&p.log, &error);
    assert_string_equal(capture(p.read_fd), "source: target: disk is full\n");
    close_pipe(&p);
}

static void test_json_lines(void **state)
{
    struct cw_error error = {
        .status = 31,
        .kind = "target-io",
        .hint = "mend it",
        .errnum = 5,
        .offset = 73400320,
        .from_peer = true,
        .text = "write /x: Input/output error",
    };
    struct plain p;
    const char *line;

    (void)state;
    open_pipe(&p, true);
    log_output_line(&p.log, CW_LOG_INFO, "a \"b\"");
    line = capture(p.read_fd);
    assert_memory_equal(line, "{\"ts\":\"", 7);
    assert_string_equal(line + 30, "Z\",\"side\":\"source\",\"level\":\"info\","
                                   "\"msg\":\"a \\\"b\\\"\"}\n");
    log_output_error(&p.log, &error);
    assert_string_equal(
        capture(p.read_fd) + 30,
        "Z\",\"side\":\"source\",\"level\":\"error\","
        "\"msg\":\"write /x: Input/output error\",\"kind\":\"target-io\","
        "\"status\":31,\"errno\":5,\"offset\":73400320,\"retryable\":false,"
        "\"from_peer\":true,\"hint\":\"mend it\"}\n");
    error.offset = UINT64_MAX;
    log_output_error(&p.log, &error);
    assert_non_null(strstr(capture(p.read_fd), "\"offset\":null,"));
    error.space = (struct cw_space){ 50, 40, 30, 10, 60 };
    log_output_error(&p.log, &error);
    assert_non_null(strstr(capture(p.read_fd),
                           "\"hint\":\"mend it\",\"need_bytes\":50,"
                           "\"have_bytes\":40,\"usable_bytes\":30,"
                           "\"shortfall_bytes\":10,\"volume_bytes\":60}\n"));
    close_pipe(&p);
}

static void test_status_and_lines(void **state)
{
    struct plain p;
    const char *text;

    (void)state;
    open_pipe(&p, false);
    log_output_status(&p.log, "[==> ]", 6);
    assert_string_equal(capture(p.read_fd), "[==> ]");
    log_output_status(&p.log, "[===>]", 6);
    assert_string_equal(capture(p.read_fd), "\r\033[K[===>]");

    /* Off the line, the log, and back below it: all in one write. */
    log_output_line(&p.log, CW_LOG_INFO, "hello");
    text = capture(p.read_fd);
    assert_memory_equal(text, "\r\033[K2", 5);
    assert_string_equal(text + strlen(text) - 13, " hello\n[===>]");

    log_output_end_status(&p.log, false);
    assert_string_equal(capture(p.read_fd), "\r\033[K");
    log_output_line(&p.log, CW_LOG_INFO, "after");
    assert_string_equal(capture(p.read_fd) + 19, "Z info  after\n");

    log_output_status(&p.log, "[====]", 6);
    log_output_end_status(&p.log, true);
    assert_string_equal(capture(p.read_fd), "[====]\n");
    close_pipe(&p);
}

/* A narrower window has folded the line: all of its rows are cleared. */
static void test_status_folded(void **state)
{
    struct winsize wide = { .ws_row = 24, .ws_col = 80 };
    struct winsize narrow = { .ws_row = 24, .ws_col = 30 };
    struct log_output log;
    int master, slave;

    (void)state;
    if (openpty(&master, &slave, NULL, NULL, &wide) < 0)
        skip();
    log_output_init(&log, slave, false, "target");
    assert_int_equal(terminal_columns(slave), 80);
    log_output_status(&log, "seventy-nine columns, let us say", 79);
    capture(master);
    assert_int_equal(ioctl(master, TIOCSWINSZ, &narrow), 0);
    assert_int_equal(terminal_columns(slave), 30);
    log_output_status(&log, "short", 5);
    assert_string_equal(capture(master), "\033[2A\r\033[Jshort");
    close(master);
    close(slave);
}

#define THREADS      4
#define LINES_EACH   100
#define STATUS_DRAWN "#status#"

static void *chatter(void *opaque)
{
    struct log_output *log = opaque;

    for (unsigned i = 0; i < LINES_EACH; i++) {
        log_output_line(log, CW_LOG_INFO, "a line of some length");
        log_output_status(log, STATUS_DRAWN, 8);
    }
    return NULL;
}

/* Whoever writes at once: each line comes out whole, the status apart. */
static void test_threads(void **state)
{
    pthread_t threads[THREADS];
    char *line, *rest = captured;
    unsigned lines = 0;
    struct plain p;

    (void)state;
    open_pipe(&p, false);
    for (unsigned i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, chatter, &p.log), 0);
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    log_output_end_status(&p.log, false);
    capture(p.read_fd);
    while ((line = strsep(&rest, "\n")) && rest) {
        const char *tail = "Z info  a line of some length";

        assert_true(strlen(line) > strlen(tail));
        assert_string_equal(line + strlen(line) - strlen(tail), tail);
        lines++;
    }
    assert_int_equal(lines, THREADS * LINES_EACH);
    close_pipe(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_escape),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_json_full),
        cmocka_unit_test(test_text_lines),
        cmocka_unit_test(test_json_lines),
        cmocka_unit_test(test_status_and_lines),
        cmocka_unit_test(test_status_folded),
        cmocka_unit_test(test_threads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
