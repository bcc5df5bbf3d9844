#include "program/prompt.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

bool prompt_is_possible(void)
{
    return isatty(STDIN_FILENO) && isatty(STDERR_FILENO);
}

/* Reads byte by byte: input after the line stays for the next reader, and no
 * buffer of the C library keeps a secret. */
static bool read_line(char *buf, size_t len)
{
    size_t used = 0;

    for (;;) {
        ssize_t n = read(STDIN_FILENO, buf + used, 1);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        if (buf[used] == '\n')
            break;
        if (++used == len)
            return false;
    }
    buf[used] = '\0';
    return true;
}

bool prompt_line(const char *question, bool hidden, char *buf, size_t len)
{
    struct termios shown, quiet;
    bool answered;

    if (!hidden || tcgetattr(STDIN_FILENO, &shown) < 0) {
        fputs(question, stderr);
        return read_line(buf, len);
    }
    /* Turns echo off first: an immediate answer must be neither echoed nor
     * flushed. */
    quiet = shown;
    quiet.c_lflag &= ~(tcflag_t)ECHO;
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
    fputs(question, stderr);
    answered = read_line(buf, len);
    tcsetattr(STDIN_FILENO, TCSADRAIN, &shown);
    fputs("\n", stderr); /* the typed newline was not echoed */
    return answered;
}

bool prompt_yes(const char *question)
{
    char answer[16];

    while (prompt_line(question, false, answer, sizeof(answer))) {
        if (strcasecmp(answer, "y") == 0 || strcasecmp(answer, "yes") == 0)
            return true;
        if (strcasecmp(answer, "n") == 0 || strcasecmp(answer, "no") == 0)
            return false;
    }
    return false;
}
