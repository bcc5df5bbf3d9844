/* command.h - runs another program of the machine, for tests that need what
 * it makes or says. */
#ifndef CW_TESTS_COMMAND_H
#define CW_TESTS_COMMAND_H

#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define COMMAND_WORDS 1024

/* A command line that grows word by word. */
struct command {
    char *words[COMMAND_WORDS + 1];
    size_t count;
};

__attribute__((format(printf, 2, 3))) static inline void command_add(
    struct command *command, const char *fmt, ...)
{
    va_list ap;

    if (command->count == COMMAND_WORDS)
        abort();
    va_start(ap, fmt);
    if (vasprintf(&command->words[command->count], fmt, ap) < 0)
        abort();
    va_end(ap);
    command->count++;
}

/* Runs it, then forgets the words.  output: file for stdout, or NULL.
 * Returns the exit status; 127: there is no such program. */
static inline int command_run(struct command *command, const char *output)
{
    int status = -1;
    pid_t pid = fork();

    if (pid == 0) {
        int fd = open(output ? output : "/dev/null",
                      O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

        if (fd < 0 || dup2(fd, STDOUT_FILENO) < 0)
            _exit(126);
        execvp(command->words[0], command->words);
        _exit(127);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid)
        abort();
    for (size_t i = 0; i < command->count; i++)
        free(command->words[i]);
    *command = (struct command){ 0 };
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

static inline bool command_exists(const char *name)
{
    struct command command = { 0 };

    command_add(&command, "%s", name);
    command_add(&command, "--version");
    return command_run(&command, NULL) == 0;
}

#endif
