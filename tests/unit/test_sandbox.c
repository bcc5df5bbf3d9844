/* What a confined process can still do, and what not: each in a child. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "program/sandbox.h"
#include "unit.h"

struct config {
    const char *destination;
    const char *key;
    const char *receipt;
};

static const struct option_row rows[] = {
    { "DEST", 0, NULL, NULL, NULL, OPTION_ARGUMENT, NULL,
      OPTION_FIELD(struct config, destination), 0, 0, "" },
    { "key", 0, NULL, "FILE", NULL, OPTION_STRING, NULL,
      OPTION_FIELD(struct config, key), 0, 0, "" },
    { "receipt", 0, NULL, "FILE", NULL, OPTION_STRING, NULL,
      OPTION_FIELD(struct config, receipt), 0, 0, "" },
    { 0 },
};

static const struct option_group groups[] = { { "", rows, 0 }, { 0 } };
static const struct option_program program = { .groups = groups };
static const struct config config = { "out/disk", "keys/key", "log/receipt" };

static int open_fd; /* of open/file, read-only, in the children */

static void put(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    assert_true(fd >= 0);
    close(fd);
}

static int setup(void **state)
{
    static char place[] = "/tmp/test-sandbox-XXXXXX";
    static const char *const dirs[] = { "out", "keys", "log", "open", "other" };

    (void)state;
    assert_non_null(mkdtemp(place));
    assert_int_equal(chdir(place), 0);
    for (size_t i = 0; i < ARRAY_LEN(dirs); i++)
        assert_int_equal(mkdir(dirs[i], 0700), 0);
    put("keys/key");
    put("open/file");
    put("open/beside");
    put("other/file");
    return 0;
}

static int teardown(void **state)
{
    char command[256], place[200];

    (void)state;
    assert_non_null(getcwd(place, sizeof(place)));
    snprintf(command, sizeof(command), "rm -r '%s'", place);
    return system(command);
}

/* ---- in the child: 0, or the errno of what was refused ---- */

static int try_open(const char *path, int flags)
{
    int fd = open(path, flags | O_CLOEXEC, 0600);

    if (fd < 0)
        return errno;
    close(fd);
    return 0;
}

static int read_key(void)
{
    return try_open("keys/key", O_RDONLY);
}
static int write_key(void)
{
    return try_open("keys/key", O_WRONLY);
}
static int make_disk(void)
{
    return try_open("out/disk", O_RDWR | O_CREAT);
}
static int make_beside(void)
{
    return try_open("out/.part", O_RDWR | O_CREAT);
}
static int make_receipt(void)
{
    return try_open("log/r", O_RDWR | O_CREAT);
}
static int read_other(void)
{
    return try_open("other/file", O_RDONLY);
}
static int make_other(void)
{
    return try_open("other/new", O_RDWR | O_CREAT);
}
static int read_beside(void)
{
    return try_open("open/beside", O_RDONLY);
}
static int read_passwd(void)
{
    return try_open("/etc/passwd", O_RDONLY);
}
static int write_null(void)
{
    return try_open("/dev/null", O_WRONLY);
}

static int reopen_fd(void)
{
    char path[64];

    snprintf(path, sizeof(path), "/proc/self/fd/%d", open_fd);
    return try_open(path, O_RDONLY);
}

static int reopen_to_write(void)
{
    return try_open("open/file", O_WRONLY);
}

static int rename_disk(void)
{
    return make_beside() || rename("out/.part", "out/disk") == 0 ? 0 : errno;
}

static int move_out(void)
{
    return make_beside() || rename("out/.part", "other/disk") == 0 ? 0 : errno;
}

static int start_program(void)
{
    execl("/bin/true", "true", (char *)NULL);
    return errno;
}

static int trace(void)
{
    return ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0 ? 0 : errno;
}

static int make_socket(void)
{
    int fd = socket(AF_INET6, SOCK_STREAM, 0);

    return fd >= 0 ? close(fd) : errno;
}

static void *nothing(void *opaque)
{
    return opaque;
}

static int start_thread(void)
{
    pthread_t thread;
    int r = pthread_create(&thread, NULL, nothing, NULL);

    return r != 0 ? r : pthread_join(thread, NULL);
}

/* Returns what action did in a child with that mode. */
static int in_child(enum common_options_sandbox mode, int (*action)(void))
{
    pid_t pid = fork();
    int status;

    assert_true(pid >= 0);
    if (pid == 0) {
        struct error err;

        open_fd = open("open/file", O_RDONLY | O_CLOEXEC);
        sandbox_set(mode, &program, &config);
        _exit(sandbox_enter(&err) == 0 ? action() : 255);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static const struct {
    const char *name;
    int (*action)(void);
    int want;
} actions[] = {
    { "read a key", read_key, 0 },
    { "write a key", write_key, EACCES },
    { "make the disk", make_disk, 0 },
    { "make a partial file beside it", make_beside, 0 },
    { "give it its name", rename_disk, 0 },
    { "move it elsewhere", move_out, EACCES },
    { "make a receipt", make_receipt, 0 },
    { "read another file", read_other, EACCES },
    { "make another file", make_other, EACCES },
    { "open again what is open", reopen_fd, 0 },
    { "open it again for writing", reopen_to_write, EACCES },
    { "read a file beside it", read_beside, EACCES },
    { "read the users", read_passwd, 0 },
    { "write to nowhere", write_null, 0 },
    { "start a program", start_program, EACCES },
    { "trace", trace, EPERM },
    { "make a socket", make_socket, 0 },
    { "start a thread", start_thread, 0 },
};

static void test_confined(void **state)
{
    char has[64];

    (void)state;
    if (!sandbox_describe(has, sizeof(has))) {
        print_message("    skipped: %s\n", has);
        skip();
    }
    for (size_t i = 0; i < ARRAY_LEN(actions); i++) {
        int got = in_child(COMMON_OPTIONS_SANDBOX_REQUIRE, actions[i].action);

        CASE(actions[i].name);
        if (actions[i].action == start_program)
            assert_true(got == EACCES || got == EPERM);
        else
            assert_int_equal(got, actions[i].want);
    }
}

static void test_off(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(actions); i++) {
        CASE(actions[i].name);
        assert_int_equal(
            in_child(COMMON_OPTIONS_SANDBOX_OFF, actions[i].action), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_confined),
        cmocka_unit_test(test_off),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
