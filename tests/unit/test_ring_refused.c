/*
 * io_uring, and what helper threads ask of the kernel, where they are refused,
 * wholly or in part: under real seccomp filters, each in a process of its own.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "io/buffer_pool.h"
#include "io/io_queue.h"
#include "io/io_queue_engine.h"
#include "tmpdisk.h"
#include "unit.h"

#define DEPTH 8U
#define KIB   ((size_t)1024)

/* Makes system calls first to last fail with errnum from now on. */
static bool refuse(unsigned first, unsigned last, int errnum)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, first, 0, 2),
        BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, last, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)errnum),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = { ARRAY_LEN(filter), filter };

    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

/* What a child found out, in memory it shares with the test. */
struct findings {
    bool filtered;
    int r;
    enum cw_io_engine chosen;
    char why[256];
    char engine[16];
    struct error err;
    int results[DEPTH];
    unsigned in_flight;
};

static struct findings *findings;

/* Runs probe(opaque) in a child and waits.  No assertion may be made in
 * there: it would run on with the tests that follow. */
static void in_child(void (*probe)(const void *opaque), const void *opaque)
{
    pid_t pid;
    int status;

    memset(findings, 0, sizeof(*findings));
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        alarm(20);
        probe(opaque);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_true(findings->filtered);
}

static bool has_uring(void)
{
    const char *refused;

    return io_queue_uring_probe(&refused) == 0;
}

struct refusal_case {
    const char *name;
    unsigned first, last;
    int errnum;
    enum cw_io_engine wish;
    const char *say[3]; /* each in the why-line, or the error */
};

#define ALL        __NR_io_uring_setup, __NR_io_uring_register
#define SETUP_ONLY __NR_io_uring_setup, __NR_io_uring_setup
#define ENTER_ONLY __NR_io_uring_enter, __NR_io_uring_enter

static const struct refusal_case refusals[] = {
    { "default profile of Docker and containerd",
      ALL,
      EPERM,
      CW_IO_ENGINE_AUTO,
      { "io_uring_setup refused: Operation not permitted",
        "helper threads instead", "for io_uring, " } },
    { "default profile of podman and CRI-O",
      ALL,
      ENOSYS,
      CW_IO_ENGINE_AUTO,
      { "io_uring_setup refused: Function not implemented",
        "helper threads instead", "allow io_uring_setup" } },
    { "only setup",
      SETUP_ONLY,
      EPERM,
      CW_IO_ENGINE_AUTO,
      { "io_uring_setup refused", "helper threads instead", "" } },
    { "only enter",
      ENTER_ONLY,
      EPERM,
      CW_IO_ENGINE_AUTO,
      { "io_uring_enter refused: Operation not permitted",
        "helper threads instead", "" } },
    { "only enter, as if not there",
      ENTER_ONLY,
      ENOSYS,
      CW_IO_ENGINE_AUTO,
      { "io_uring_enter refused: Function not implemented",
        "helper threads instead", "" } },
    { "locked memory",
      SETUP_ONLY,
      ENOMEM,
      CW_IO_ENGINE_AUTO,
      { "Cannot allocate memory", "RLIMIT_MEMLOCK", "raise ulimit -l" } },
    { "old kernel",
      SETUP_ONLY,
      EINVAL,
      CW_IO_ENGINE_AUTO,
      { "Invalid argument", "Linux 5.10", "helper threads instead" } },
    { "security module",
      SETUP_ONLY,
      EACCES,
      CW_IO_ENGINE_AUTO,
      { "Permission denied", "security module", "helper threads instead" } },
    { "asked for, refused at setup",
      ALL,
      EPERM,
      CW_IO_ENGINE_URING,
      { "io_uring_setup refused", "Operation not permitted", "" } },
    { "asked for, refused at enter",
      ENTER_ONLY,
      EPERM,
      CW_IO_ENGINE_URING,
      { "io_uring_enter refused", "Operation not permitted", "" } },
    { "threads need none of it",
      ALL,
      EPERM,
      CW_IO_ENGINE_THREADS,
      { "as asked", "", "" } },
};

static void choose(const void *opaque)
{
    const struct refusal_case *c = opaque;

    findings->filtered = refuse(c->first, c->last, c->errnum);
    findings->r = io_queue_choose(c->wish, &findings->chosen, findings->why,
                                  sizeof(findings->why), &findings->err);
}

static void test_choice(void **state)
{
    (void)state;
    if (!has_uring())
        skip();
    for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
        const char *said = findings->why;

        CASE(refusals[i].name);
        in_child(choose, &refusals[i]);
        if (refusals[i].wish == CW_IO_ENGINE_URING) {
            said = findings->err.text;
            assert_int_equal(findings->r, -1);
            assert_int_equal(findings->err.kind, ERROR_SYSTEM);
            assert_int_equal(findings->err.errnum, refusals[i].errnum);
        } else {
            assert_int_equal(findings->r, 0);
            assert_int_equal(findings->chosen, CW_IO_ENGINE_THREADS);
        }
        print_message("      %s\n", said);
        for (size_t k = 0; k < ARRAY_LEN(refusals[i].say); k++)
            assert_non_null(strstr(said, refusals[i].say[k]));
    }
}

static void test_choice_where_it_works(void **state)
{
    static const enum cw_io_engine wishes[] = { CW_IO_ENGINE_AUTO,
                                                CW_IO_ENGINE_URING };
    enum cw_io_engine chosen;
    struct error err;
    char why[256];

    (void)state;
    if (!has_uring())
        skip();
    for (size_t i = 0; i < ARRAY_LEN(wishes); i++) {
        assert_int_equal(
            io_queue_choose(wishes[i], &chosen, why, sizeof(why), &err), 0);
        assert_int_equal(chosen, CW_IO_ENGINE_URING);
        assert_non_null(strstr(why, "set up and entered"));
    }
}

static void keep_line(void *opaque, enum cw_log_level level, const char *line)
{
    (void)opaque;
    (void)level;
    snprintf(findings->why, sizeof(findings->why), "%s", line);
}

/* Refused later than it was chosen: an error that names it, or threads. */
static void open_refused(const void *opaque)
{
    const enum cw_io_engine *engine = opaque;
    struct io_queue *queue = NULL;

    log_open(keep_line, NULL, CW_LOG_WARN);
    findings->filtered = refuse(ALL, EPERM);
    findings->r = io_queue_open(*engine, DEPTH, NULL, 0, &queue,
                                &findings->err);
    if (queue)
        snprintf(findings->engine, sizeof(findings->engine), "%s",
                 queue->ops->name);
    io_queue_close(queue);
}

static void test_open_refused(void **state)
{
    static const enum cw_io_engine engines[] = { CW_IO_ENGINE_URING,
                                                 CW_IO_ENGINE_AUTO };

    (void)state;
    in_child(open_refused, &engines[0]);
    assert_int_equal(findings->r, -1);
    assert_int_equal(findings->err.kind, ERROR_SYSTEM);
    assert_string_equal(findings->err.text, "open io_uring ring of depth 8: "
                                            "Operation not permitted");
    assert_string_equal(findings->why, "");

    in_child(open_refused, &engines[1]);
    assert_int_equal(findings->r, 0);
    assert_string_equal(findings->engine, "threads");
    assert_string_equal(findings->why,
                        "io_uring refused for one ring: "
                        "Operation not permitted: helper threads instead");
}

/* A ring that loses io_uring_enter fails its ios, not the process. */
static void enter_refused_later(const void *opaque)
{
    uint8_t buf[512];
    struct file file = { .direct_fd = -1, .mode = CW_IO_MODE_BUFFERED };
    struct io_queue *queue;
    struct io ios[2] = { 0 };

    (void)opaque;
    file.fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);
    findings->r = io_queue_open(CW_IO_ENGINE_URING, DEPTH, NULL, 0, &queue,
                                &findings->err);
    findings->filtered = refuse(ENTER_ONLY, EPERM);
    for (size_t i = 0; i < ARRAY_LEN(ios); i++) {
        ios[i] = (struct io){ .file = &file, .buf = buf, .len = sizeof(buf) };
        io_queue_submit(queue, &ios[i]);
    }
    for (size_t i = 0; i < ARRAY_LEN(ios); i++)
        io_queue_reap(queue, true);
    findings->results[0] = ios[0].result;
    findings->results[1] = ios[1].result;
    findings->in_flight = io_queue_in_flight(queue);
    io_queue_close(queue);
}

static void test_enter_refused_later(void **state)
{
    (void)state;
    if (!has_uring())
        skip();
    in_child(enter_refused_later, NULL);
    assert_int_equal(findings->r, 0);
    assert_int_equal(findings->results[0], -EPERM);
    assert_int_equal(findings->results[1], -EPERM);
    assert_int_equal(findings->in_flight, 0);
}

/* Reads of an empty pipe last until they are cancelled. */
static void cancel_pipe_reads(const void *opaque)
{
    const bool *has_register = opaque;
    static uint8_t bufs[DEPTH][64];
    struct file file = { .direct_fd = -1, .mode = CW_IO_MODE_BUFFERED };
    struct io ios[DEPTH];
    struct io_queue *queue;
    int ends[2];

    findings->r = pipe2(ends, O_CLOEXEC);
    file.fd = ends[0];
    findings->filtered = *has_register || refuse(__NR_io_uring_register,
                                                 __NR_io_uring_register, EPERM);
    if (io_queue_open(CW_IO_ENGINE_URING, DEPTH, NULL, 0, &queue,
                      &findings->err) < 0)
        _exit(1);
    for (unsigned i = 0; i < DEPTH; i++) {
        ios[i] = (struct io){ .file = &file, .buf = bufs[i], .len = 64 };
        io_queue_submit(queue, &ios[i]);
    }
    if (io_queue_reap(queue, false) != NULL)
        _exit(2);
    io_queue_cancel(queue);
    for (unsigned i = 0; i < DEPTH; i++)
        findings->results[i] = ios[i].result;
    findings->in_flight = io_queue_in_flight(queue);
    io_queue_close(queue);
}

static void test_cancel_of_what_never_ends(void **state)
{
    static const bool has_register[] = { true, false };

    (void)state;
    if (!has_uring())
        skip();
    for (size_t i = 0; i < ARRAY_LEN(has_register); i++) {
        CASE(has_register[i] ? "all in one call" : "one by one");
        in_child(cancel_pipe_reads, &has_register[i]);
        for (unsigned k = 0; k < DEPTH; k++)
            assert_int_equal(findings->results[k], -ECANCELED);
        assert_int_equal(findings->in_flight, 0);
    }
}

/* An ordinary user whose limit is enough for a ring, but not for buffers. */
static void read_with_little_locked_memory(const void *opaque)
{
    const struct rlimit limit = { 256 * KIB, 256 * KIB };
    struct file file = *(const struct file *)opaque;
    struct buffer_pool *pool = buffer_pool_open(DEPTH, 1024 * KIB);
    struct io io = { .file = &file, .len = 64 * KIB };
    struct io_queue *queue;
    size_t region_len;
    void *region = buffer_pool_region(pool, &region_len);

    log_open(keep_line, NULL, CW_LOG_DEBUG);
    findings->filtered = setrlimit(RLIMIT_MEMLOCK, &limit) == 0 &&
                         (getuid() != 0 || setuid(65534) == 0);
    findings->r = io_queue_open(CW_IO_ENGINE_URING, DEPTH, region, region_len,
                                &queue, &findings->err);
    if (findings->r < 0)
        return;
    io.buf = buffer_pool_lease(pool);
    io_queue_submit(queue, &io);
    io_queue_reap(queue, true);
    findings->results[0] = io.result;
    findings->results[1] = tmpdisk_matches(io.buf, io.len, 0);
    io_queue_close(queue);
}

static void test_buffers_not_registered(void **state)
{
    struct file file;

    (void)state;
    if (!has_uring())
        skip();
    assert_int_equal(tmpdisk_open(&file, ".", 64 * KIB, CW_IO_MODE_AUTO), 0);
    in_child(read_with_little_locked_memory, &file);
    file_close(&file);
    /* The ring itself may be locked memory, and others of this user may
     * have used it up. */
    if (findings->r < 0 && findings->err.errnum == ENOMEM)
        skip();
    assert_int_equal(findings->r, 0);
    assert_non_null(strstr(findings->why, "buffers not registered: "
                                          "Cannot allocate memory"));
    assert_int_equal(findings->results[0], 0);
    assert_true(findings->results[1]);
}

struct write_case {
    const char *name;
    unsigned refused;      /* system call */
    unsigned also_refused; /* another, or the same */
    int result;
};

/* Helper threads write files by native AIO, and else by pwritev2. */
static const struct write_case writes[] = {
    { "only AIO allowed", __NR_pwritev2, __NR_pwritev2, 0 },
    { "no context", __NR_io_setup, __NR_io_setup, 0 },
    { "no submission", __NR_io_submit, __NR_io_submit, 0 },
    { "no waiting", __NR_io_getevents, __NR_io_getevents, 0 },
    { "neither allowed", __NR_io_submit, __NR_pwritev2, -EPERM },
};

struct write_job {
    const struct write_case *c;
    struct file *file;
};

static void write_by_threads(const void *opaque)
{
    const struct write_job *job = opaque;
    struct buffer_pool *pool = buffer_pool_open(DEPTH, 64 * KIB);
    struct io ios[DEPTH];
    struct io_queue *queue;

    findings->filtered = refuse(job->c->refused, job->c->refused, EPERM) &&
                         refuse(job->c->also_refused, job->c->also_refused,
                                EPERM);
    findings->r = io_queue_open(CW_IO_ENGINE_THREADS, DEPTH, NULL, 0, &queue,
                                &findings->err);
    if (findings->r < 0)
        return;
    for (unsigned i = 0; i < DEPTH; i++) {
        ios[i] = (struct io){ .op = IO_WRITE,
                              .file = job->file,
                              .buf = buffer_pool_lease(pool),
                              .len = 64 * KIB,
                              .offset = i * 64 * KIB };
        tmpdisk_fill(ios[i].buf, ios[i].len, ios[i].offset);
        io_queue_submit(queue, &ios[i]);
    }
    while (io_queue_reap(queue, true))
        ;
    for (unsigned i = 0; i < DEPTH; i++)
        findings->results[i] = ios[i].result;
    io_queue_close(queue);
    buffer_pool_close(pool);
}

static void check_written(const struct file *file)
{
    static uint8_t buf[DEPTH * 64 * 1024];

    assert_int_equal(pread(file->fd, buf, sizeof(buf), 0), sizeof(buf));
    assert_true(tmpdisk_matches(buf, sizeof(buf), 0));
}

static void test_writes_by_threads(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(writes); i++) {
        struct file file;
        struct write_job job = { &writes[i], &file };

        CASE(writes[i].name);
        if (tmpdisk_open(&file, ".", 0, CW_IO_MODE_DIRECT) < 0)
            skip();
        in_child(write_by_threads, &job);
        assert_int_equal(findings->r, 0);
        for (unsigned k = 0; k < DEPTH; k++)
            assert_int_equal(findings->results[k], writes[i].result);
        if (writes[i].result == 0)
            check_written(&file);
        file_close(&file);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_choice),
        cmocka_unit_test(test_choice_where_it_works),
        cmocka_unit_test(test_open_refused),
        cmocka_unit_test(test_enter_refused_later),
        cmocka_unit_test(test_cancel_of_what_never_ends),
        cmocka_unit_test(test_buffers_not_registered),
        cmocka_unit_test(test_writes_by_threads),
    };

    findings = mmap(NULL, sizeof(*findings), PROT_READ | PROT_WRITE,
                    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (findings == MAP_FAILED)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
