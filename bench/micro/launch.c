/*
 * launch.c - runs a command and says what it cost.
 *
 *   bench-launch FD COMMAND [ARGUMENT...]
 *
 * Writes "STATUS USER_US SYSTEM_US PEAK_KIB\n" to descriptor FD when the
 * command has ended.  A process inherits the peak memory of whoever started
 * it (ru_maxrss survives exec), so a harness in Python cannot see peaks below
 * its own; one started from here begins at next to nothing.
 *
 * SIGTERM and SIGINT are passed on; SIGUSR1 kills the command, so that it is
 * still waited for.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile sig_atomic_t child_pid;

static void pass_on(int number)
{
    if (child_pid > 0)
        kill((pid_t)child_pid, number == SIGUSR1 ? SIGKILL : number);
}

static pid_t start(char *const *command, int report_fd)
{
    pid_t parent = getpid();
    pid_t pid = fork();

    if (pid != 0)
        return pid;
    close(report_fd);
    /* If the launcher is killed, so is what it launched. */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(127);
    execvp(command[0], command);
    fprintf(stderr, "%s: %s\n", command[0], strerror(errno));
    _exit(127);
}

static long microseconds(const struct timeval *tv)
{
    return tv->tv_sec * 1000000L + tv->tv_usec;
}

int main(int argc, char **argv)
{
    struct sigaction action = { .sa_handler = pass_on };
    struct rusage usage;
    int report_fd;
    int status;
    int code;

    if (argc < 3 || sscanf(argv[1], "%d", &report_fd) != 1) {
        fprintf(stderr, "usage: bench-launch FD COMMAND [ARGUMENT...]\n");
        return 2;
    }
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGUSR1, &action, NULL);

    child_pid = start(argv + 2, report_fd);
    if (child_pid < 0) {
        perror("fork");
        return 1;
    }
    while (wait4((pid_t)child_pid, &status, 0, &usage) < 0)
        if (errno != EINTR)
            return 1;

    code = WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
    dprintf(report_fd, "%d %ld %ld %ld\n", code, microseconds(&usage.ru_utime),
            microseconds(&usage.ru_stime), usage.ru_maxrss);
    return code < 0 ? 128 - code : code;
}
