#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "program/signals.h"
#include "unit.h"

/* Each case is a process of its own: signals are the whole process's. */

static int stop_pipe[2];

static void note_stop(struct cw_job *job)
{
    char mark = *(const char *)job;

    if (write(stop_pipe[1], &mark, 1) != 1)
        _exit(99);
}

static char heard_stop(void)
{
    char mark = '-';

    if (read(stop_pipe[0], &mark, 1) != 1)
        _exit(98);
    return mark;
}

static char marker = 'J';

static void note_late(void *opaque, int number)
{
    if (opaque != &marker || number != SIGINT)
        _exit(96);
}

static void open_with_job(void)
{
    static const struct signals_plan plan = {
        .stop = note_stop,
        .late = note_late,
        .opaque = &marker,
        .patience_ms = 100,
    };
    struct error err;

    if (signals_open(&plan, &err) < 0)
        _exit(97);
    signals_set_job((struct cw_job *)(void *)&marker);
}

/* The first stops the job, which then ends in its own time. */
static int first_stops_job(void)
{
    open_with_job();
    kill(getpid(), SIGTERM);
    if (heard_stop() != marker)
        return 1;
    signals_set_job(NULL);
    return signals_caught() == SIGTERM ? 0 : 2;
}

static int second_ends_process(void)
{
    open_with_job();
    kill(getpid(), SIGINT);
    heard_stop();
    kill(getpid(), SIGTERM);
    pause();
    return 1;
}

static int patience_ends(void)
{
    open_with_job();
    kill(getpid(), SIGINT);
    heard_stop();
    pause(); /* a job that cannot end */
    return 1;
}

static int before_job_ends_process(void)
{
    static const struct signals_plan plan = { .patience_ms = 1000 };
    struct error err;

    if (signals_open(&plan, &err) < 0)
        return 2;
    kill(getpid(), SIGINT);
    pause();
    return 1;
}

/* What the job did is done: the process ends with its status. */
static int after_job_is_ignored(void)
{
    struct timespec pause_20ms = { .tv_nsec = 20000000 };
    sigset_t pending;

    open_with_job();
    signals_set_job(NULL);
    kill(getpid(), SIGTERM);
    do { /* until the watching thread has taken it */
        nanosleep(&pause_20ms, NULL);
        sigpending(&pending);
    } while (sigismember(&pending, SIGTERM));
    return signals_caught() == 0 ? 0 : 2;
}

static int second_after_job_ends_process(void)
{
    if (after_job_is_ignored() != 0)
        return 1;
    kill(getpid(), SIGINT);
    pause();
    return 1;
}

static int pipe_is_ignored(void)
{
    int fds[2];

    open_with_job();
    if (pipe(fds) < 0)
        return 1;
    close(fds[0]);
    if (write(fds[1], "x", 1) != -1)
        return 2;
    return signals_caught() == 0 ? 0 : 3;
}

static void test_processes(void **state)
{
    static const struct {
        const char *name;
        int (*run)(void);
        int want;
    } cases[] = {
        { "the first stops the job", first_stops_job, 0 },
        { "the second ends the process", second_ends_process, 128 + SIGTERM },
        { "patience with the job ends", patience_ends, 128 + SIGINT },
        { "before a job the first does", before_job_ends_process,
          128 + SIGINT },
        { "after it the first does not", after_job_is_ignored, 0 },
        { "but the second", second_after_job_ends_process, 128 + SIGINT },
        { "SIGPIPE is ignored", pipe_is_ignored, 0 },
    };

    (void)state;
    assert_int_equal(pipe(stop_pipe), 0);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        pid_t child = fork();
        int status;

        CASE(cases[i].name);
        assert_true(child >= 0);
        if (child == 0) {
            alarm(30); /* a lost signal is a failure, not a hang */
            _exit(cases[i].run());
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), cases[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_processes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
