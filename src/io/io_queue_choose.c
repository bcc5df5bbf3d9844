/* Chooses the engine of a process, with a sentence that says why. */
#include "io/io_queue.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "io/io_queue_engine.h"
#include "io/kernel_file.h"

#define ALLOW_CALLS "allow io_uring_setup, io_uring_enter and io_uring_register"

struct refusal {
    const char *cause;
    const char *advice;
};

/* kernel.io_uring_disabled (Linux 6.6): 0, 1 (allowed to one group), 2; -1 if
 * missing. */
static int read_disabled(void)
{
    uint64_t number;

    return kernel_file_number(&number, "/proc/sys/kernel/io_uring_disabled") &&
                   number <= 2
               ? (int)number
               : -1;
}

static struct refusal explain_eperm(void)
{
    switch (read_disabled()) {
    case 2:
        return (struct refusal){ "kernel.io_uring_disabled=2",
                                 "set that sysctl to 0" };
    case 1:
        return (struct refusal){ "kernel.io_uring_disabled=1",
                                 "set that sysctl to 0, or join the group of "
                                 "kernel.io_uring_group" };
    default:
        return (struct refusal){ "by a seccomp profile", ALLOW_CALLS " in it" };
    }
}

static struct refusal explain(int errnum)
{
    switch (errnum) {
    case EPERM: return explain_eperm();
    case ENOSYS:
        return (struct refusal){ "by a seccomp profile, or not in this kernel",
                                 ALLOW_CALLS };
    case ENOMEM:
        return (struct refusal){ "no memory, or RLIMIT_MEMLOCK too low",
                                 "raise ulimit -l" };
    case EINVAL:
        return (struct refusal){ "kernel too old, or an emulation of it",
                                 "use Linux 5.10 or later" };
    case EACCES:
        return (struct refusal){ "by a security module",
                                 "allow io_uring in its policy" };
    default: return (struct refusal){ "by the kernel", ALLOW_CALLS };
    }
}

static int refuse(int errnum, const char *refused, struct error *err)
{
    struct refusal refusal = explain(errnum);

    return error_set(err, ERROR_SYSTEM, errnum,
                     "%s refused (%s; to have it, %s)", refused, refusal.cause,
                     refusal.advice);
}

static void settle_for_threads(int errnum, const char *refused, char *why,
                               size_t why_len)
{
    struct refusal refusal = explain(errnum);
    char cause[64];

    snprintf(why, why_len,
             "%s refused: %s (%s): helper threads instead; for io_uring, %s",
             refused, strerror_r(errnum, cause, sizeof(cause)), refusal.cause,
             refusal.advice);
}

int io_queue_choose(enum cw_io_engine wish, enum cw_io_engine *chosen,
                    char *why, size_t why_len, struct error *err)
{
    const char *refused;
    int r;

    if (wish == CW_IO_ENGINE_THREADS) {
        *chosen = CW_IO_ENGINE_THREADS;
        snprintf(why, why_len, "as asked");
        return 0;
    }

    r = io_queue_uring_probe(&refused);
    if (r == 0) {
        *chosen = CW_IO_ENGINE_URING;
        snprintf(why, why_len, "set up and entered");
        return 0;
    }
    if (wish == CW_IO_ENGINE_URING)
        return refuse(-r, refused, err);
    *chosen = CW_IO_ENGINE_THREADS;
    settle_for_threads(-r, refused, why, why_len);
    return 0;
}
